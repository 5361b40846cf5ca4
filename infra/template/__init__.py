"""The CloudFormation template: what Chalice makes of the app, and everything it does not make."""
