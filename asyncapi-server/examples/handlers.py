"""The handlers of the chat, for `asyncapi-server serve`."""

from asyncapi_server import Update, encode


class Chat:
    """One method for each message that the document lets clients send."""

    def __init__(self, hub):
        self.hub = hub

    async def on_join(self, client, message):
        self.hub.subscribe(client, message["room"])
        return {**message, "type": "joined", "people": self.hub.subscribers(message["room"])}

    async def on_say(self, client, message):
        self.hub.publish([Update(message["room"], encode({**message, "type": "said"}))])

    def error(self, fault):
        return {"type": "error", "text": fault.text}
