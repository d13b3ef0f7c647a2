from binance import AsyncClient, BinanceSocketManager, Client

Client.API_URL = AsyncClient.API_URL = "http://localhost:8080/api"
BinanceSocketManager.STREAM_URL = "ws://localhost:8080/"

client = Client()
