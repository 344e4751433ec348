"""WebSockets as other servers write them: uvicorn's protocol, with other frames for the same messages."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

FRAGMENT_BYTES = 50


class Fragmenting(WebSocketsSansIOProtocol):
    """Sends each text message in fragments, with a ping before each of them (RFC 6455 §5.4)."""

    async def send(self, message: Any) -> None:
        """Sends what the application says. Raises `ClientDisconnected` where nobody hears it."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is None or self.close_sent:
            await super().send(message)
            return
        await self.writable.wait()
        try:
            self._send_fragments(text.encode())
        except InvalidState as error:
            raise ClientDisconnected from error
        self.transport.write(b"".join(self.conn.data_to_send()))

    def _send_fragments(self, data: bytes) -> None:
        for start in range(0, len(data), FRAGMENT_BYTES):
            end = start + FRAGMENT_BYTES
            self.conn.send_ping(b"still there")
            send = self.conn.send_continuation if start else self.conn.send_text
            send(data[start:end], fin=end >= len(data))
