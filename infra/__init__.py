"""What stands in AWS around the Lambdas, and the local stack that stands in for it."""
