"""What comes in the clear is refused: one statement for tables, queues, topics and buckets."""

from infra.template.naming import Part


def refuse_plain_http(actions: str, resource: Part | list[str]) -> Part:
    """A resource policy that refuses whatever does not come over TLS, whoever asks."""
    return {"Version": "2012-10-17", "Statement": [over_tls_only(actions, resource)]}


def over_tls_only(actions: str, resource: Part | list[str]) -> Part:
    """Its one statement, for a policy that says more."""
    return {
        "Sid": "OverTlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
