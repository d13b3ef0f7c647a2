from kraken.spot import Market

market = Market(url="http://localhost:8080")
