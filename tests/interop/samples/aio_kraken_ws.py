from aio_kraken_ws import KrakenWs


async def connect(callback):
    return await KrakenWs.create(callback, url="ws://localhost:8080/kraken")
