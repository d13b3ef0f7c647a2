"""Small sound documents of each kind, for tests that break one place at a time."""

from __future__ import annotations

REST = """\
openapi: 3.0.3
info: {title: Small, version: 1.0.0}
servers: [{url: /api}]
tags: [{name: things, description: Things.}]
paths:
  /things/{thing}:
    get:
      operationId: get_thing
      tags: [things]
      summary: One thing
      parameters:
        - name: thing
          in: path
          required: true
          schema: {type: string, minLength: 2}
          example: abc
        - name: limit
          in: query
          schema: {type: integer, minimum: 1, maximum: 10, default: 5}
          example: 3
      responses:
        '200':
          description: The thing.
          headers:
            Age:
              schema: {type: integer, minimum: 0}
              example: 3
          content:
            application/json:
              schema:
                $ref: things.yaml#/Thing
              examples:
                one:
                  value: {kind: thing, size: 3, note: null}
"""

THINGS = """\
Thing:
  type: object
  required: [kind, size]
  properties:
    kind: {type: string, enum: [thing]}
    size: {type: integer, minimum: 0}
    note: {type: string, nullable: true}
"""

STREAM = """\
asyncapi: 3.1.0
info: {title: Small, version: 1.0.0}
channels:
  stream:
    address: /small
    messages:
      ask: {$ref: '#/components/messages/ask'}
      answer: {$ref: '#/components/messages/answer'}
      error: {$ref: '#/components/messages/error'}
operations:
  ask:
    action: receive
    channel: {$ref: '#/channels/stream'}
    messages: [{$ref: '#/channels/stream/messages/ask'}]
    reply:
      channel: {$ref: '#/channels/stream'}
      messages:
        - {$ref: '#/channels/stream/messages/answer'}
        - {$ref: '#/channels/stream/messages/error'}
components:
  messages:
    ask:
      summary: Ask
      payload: {$ref: '#/components/schemas/Ask'}
      x-response:
        oneOf:
          - {$ref: '#/components/messages/answer'}
          - {$ref: '#/components/messages/error'}
      examples:
        - payload: {action: ask, size: 3}
    answer:
      payload: {$ref: '#/components/schemas/Answer'}
      examples:
        - payload: {type: answer}
    error:
      payload: {$ref: '#/components/schemas/Error'}
      examples:
        - payload: {type: error}
  schemas:
    Ask:
      type: object
      required: [action]
      properties:
        action: {type: string, enum: [ask]}
        size: {$ref: 'sizes.yaml#/Size'}
    Answer:
      type: object
      required: [type]
      properties:
        type: {type: string, enum: [answer]}
    Error:
      type: object
      required: [type]
      properties:
        type: {type: string, enum: [error]}
"""

SIZES = """\
Size: {type: integer, minimum: 0}
"""
