from binance.spot import Spot
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

client = Spot(base_url="http://localhost:8080")


def streams(on_message):
    return SpotWebsocketStreamClient("ws://localhost:8080", on_message=on_message, is_combined=True)
