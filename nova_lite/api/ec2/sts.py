"""The token service, as far as clients of EC2 ask it: who they are."""

import dataclasses

from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.xml import Shape, text


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """Who a caller is."""

    user_id: str
    user_name: str
    project_id: str


IDENTITY = Shape(
    text("Arn", lambda who: f"arn:aws:iam::{who.project_id}:user/{who.user_name}"),
    text("UserId", lambda who: who.user_id),
    text("Account", lambda who: who.project_id),
)


def get_caller_identity(call: Ec2Call) -> Identity:
    """Say who the caller is."""
    context = call.context
    return Identity(context.user_id, context.user_name, context.project_id)
