"""A chat server, from the first line to the last."""

from aiohttp import web

from asyncapi_server import Contract, Endpoint, Hub, Router, Update, encode, load_document

hub = Hub()


class Handlers:
    """One method for each message that the document lets clients send."""

    async def on_join(self, client, message):
        hub.subscribe(client, message["room"])
        return {**message, "type": "joined", "people": hub.subscribers(message["room"])}

    async def on_say(self, client, message):
        hub.publish([Update(message["room"], encode({**message, "type": "said"}))])


def error(fault):
    return {"type": "error", "text": fault.text}


contract = Contract.from_document(load_document("chat.asyncapi.yaml"))
router = Router(contract, "/chat", Handlers(), error_reply=error)
app = web.Application()
app.router.add_get("/chat", Endpoint(router, hub=hub).handle)
web.run_app(app, port=8080)
