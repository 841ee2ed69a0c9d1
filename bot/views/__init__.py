"""What people see in Slack: pure functions from a run to Block Kit payloads, without any I/O.

Every payload passes `text` (no value can ping, link or format) and `limits` (no payload is beyond what Slack
takes). One file a view; nothing here knows Bolt, the store or the network.
"""

from bot.views.batch import batch_message
from bot.views.limits import Message, View
from bot.views.message import Hints, run_message

__all__ = ["Hints", "Message", "View", "batch_message", "run_message"]
