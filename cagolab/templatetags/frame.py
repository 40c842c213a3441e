"""{% frame %}: the blocks between it and {% endframe %}, put into the frame around every page, which is Jinja2."""

from __future__ import annotations

from django import template
from django.template.base import Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader_tags import BlockNode
from django.utils.safestring import SafeString

from cagolab.templatetags.quick import quick

register = template.Library()


class FrameNode(Node):
    """A page of Django's templates may override each of the blocks."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Draw the frame with each block under its name."""
        blocks = [node for node in self.nodelist if isinstance(node, BlockNode)]
        return quick(
            context, "frame.jinja", **{block.name: block.render_annotated(context) for block in blocks}
        )


@register.tag
def frame(parser: Parser, _token: Token) -> FrameNode:
    """Read up to {% endframe %}; only blocks count."""
    nodelist = parser.parse(("endframe",))
    parser.delete_first_token()
    return FrameNode(nodelist)
