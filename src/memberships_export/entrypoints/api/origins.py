"""From where a request comes, for the audit log: the network of its client, and the id of the request.

The address is that of the connection: a header such as X-Forwarded-For is the client's word, and nothing trusts it.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from memberships_export.domain.audit import Actor, Channel, Origin
from memberships_export.domain.pseudonyms import shortened_ip
from memberships_export.logs.about import request_in_hand
from memberships_export.service.user.callers import Caller


async def _origin(request: Request) -> Origin:
    ip = shortened_ip(request.client.host) if request.client else ""
    return Origin(channel=Channel.API, ip=ip, request_id=request_in_hand() or "")


From = Annotated[Origin, Depends(_origin)]


def of_member(origin: Origin, caller: Caller) -> Origin:
    """Return the origin of what a member asks for."""
    return replace(origin, actor=Actor.MEMBER, who=caller.user_id)


def of_link(origin: Origin) -> Origin:
    """Return the origin of what is asked for with a mailed link: whoever holds it may be anybody."""
    return replace(origin, actor=Actor.MEMBER, channel=Channel.LINK)


def of_provider(origin: Origin) -> Origin:
    """Return the origin of events that the mail service has signed."""
    return replace(origin, actor=Actor.PROVIDER, channel=Channel.WEBHOOK)
