"""The operator's command line, one module per subject: `python -m infra.cli --help`."""
