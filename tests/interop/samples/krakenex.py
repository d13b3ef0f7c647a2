import krakenex

api = krakenex.API()
api.uri = "http://localhost:8080"
