"""What the command line offers and what the code may call: no door for a secret or for foreign code."""

import ast
import re
from pathlib import Path

import pytest

import privstream
from privstream import exchanges
from tests.security.command_lines import leaves

PACKAGE = Path(privstream.__file__).parent
SECRET_WORD = re.compile(r"secret|key|token|password|passwd|passphrase|pin|otp|credential|sign")
DANGEROUS = {"eval", "exec", "__import__", "breakpoint"}
DANGEROUS_MODULES = {"pickle", "marshal", "shelve", "dill", "yaml", "codeop", "pty"}
DANGEROUS_FUNCTIONS = {
    "os": {"system", "popen"},
    "subprocess": {"getoutput", "getstatusoutput"},
    "websocket": {"enableTrace"},
}
INSECURE = {"verify", "check_hostname", "verify_mode", "cert_reqs", "shell", "allow_redirects"}


_FUNCTIONS = [rf"{m}\.{f}" for m, names in DANGEROUS_FUNCTIONS.items() for f in names]
_WORDS = "|".join([*DANGEROUS, *DANGEROUS_MODULES, *INSECURE, *_FUNCTIONS])
SUSPICIOUS = re.compile(rf"\b(?:{_WORDS})\b")
"""Only what holds one of the words is worth reading closely."""


def test_no_option_of_any_command_takes_a_secret() -> None:
    """It would stay in the shell's history and show in the list of processes."""
    taking = {
        f"{' '.join(path)} {option}"
        for path, command in leaves()
        for parameter in command.params
        if not getattr(parameter, "is_flag", False)
        for option in (*parameter.opts, *parameter.secondary_opts)
        if SECRET_WORD.search(option.lower())
    }
    assert taking == set()


def test_no_option_is_read_from_the_environment() -> None:
    """A variable that nobody looks at could move or unlock something."""
    reading = [
        f"{' '.join(path)} {parameter.opts}"
        for path, command in leaves()
        for parameter in command.params
        if parameter.envvar or getattr(command, "auto_envvar_prefix", None)
    ]
    assert reading == []


def test_no_option_turns_a_protection_off() -> None:
    words = re.compile(r"insecure|no-verify|verify|trust|ca-|cert|proxy|url|host")
    options = {option for _, command in leaves() for p in command.params for option in p.opts}
    assert {option for option in options if words.search(option)} == set()


def test_every_exchange_asks_for_credentials_that_the_search_knows() -> None:
    for name in exchanges.names():
        kind = exchanges.find(name)
        for credential in (*kind.credentials, *kind.optional_credentials):
            assert SECRET_WORD.search(credential)


def test_no_module_runs_foreign_code_or_lowers_a_guard() -> None:
    """No eval, pickle, yaml, shell; no unverified TLS, no followed redirect, no library trace."""
    found = [
        f"{path}:{node.lineno} {what}"
        for path in PACKAGE.rglob("*.py")
        if SUSPICIOUS.search(source := path.read_text())
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.expr | ast.stmt) and (what := dangerous(node))
    ]
    assert found == []


def dangerous(node: ast.AST) -> str | None:
    """What an expression or a statement does that nobody should, if anything."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in DANGEROUS:
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return name if name in DANGEROUS_FUNCTIONS.get(module, ()) else None
        case ast.Import() | ast.ImportFrom():
            return next((m for m in imported(node) if m.split(".")[0] in DANGEROUS_MODULES), None)
        case ast.Call(keywords=keywords):
            return next((k.arg for k in keywords if lowers_guard(k.arg, k.value)), None)
        case ast.Assign(targets=[ast.Attribute(attr=name)], value=value):
            return name if lowers_guard(name, value) else None
    return None


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]


def lowers_guard(name: str | None, value: ast.expr) -> bool:
    """A setting of a library that protects is given another value than its safe one."""
    if name not in INSECURE:
        return False
    safe = {"shell": False, "allow_redirects": False}.get(name, True)
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return value.value is not safe
    return "NONE" in ast.unparse(value).upper()


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "import pickle",
        "from yaml import load",
        "run('x', shell=True)",
        "get(url, verify=False)",
        "get(url, allow_redirects=True)",
        "context.check_hostname = False",
        "context.verify_mode = ssl.CERT_NONE",
        "conn.cert_reqs = 'CERT_NONE'",
        "os.system('x')",
        "websocket.enableTrace(True)",
    ],
)
def test_what_is_looked_for_is_found(source: str) -> None:
    assert SUSPICIOUS.search(source)
    assert any(dangerous(node) for node in ast.walk(ast.parse(source)))
