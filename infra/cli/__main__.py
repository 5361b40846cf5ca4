"""`python -m infra.cli`."""

from infra.cli.commands import app

if __name__ == "__main__":
    app()
