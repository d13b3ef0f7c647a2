from binance_sdk_spot.spot import (
    ConfigurationRestAPI,
    ConfigurationWebSocketStreams,
    Spot,
)

client = Spot(
    config_rest_api=ConfigurationRestAPI(base_path="http://localhost:8080", timeout=10_000),
    config_ws_streams=ConfigurationWebSocketStreams(stream_url="ws://localhost:8080"),
)
