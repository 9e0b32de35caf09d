// The `openai` SDK for Node: chat completions, responses and embeddings.

import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import { ASKS, KEY, LOOKUP, ask, play } from "./scenes.mjs";

const model = "tiny";
const form = z.object({ person: z.string(), mail: z.string() });
const chatTools = [{ type: "function", function: LOOKUP }];
const responseTools = [{ type: "function", strict: false, ...LOOKUP }];

function chat(urls) {
  const client = new OpenAI({ baseURL: `${urls.llama}/v1`, apiKey: KEY });
  const stream = async (seen, scene) => {
    const events = await client.chat.completions.create({ model, messages: ask(scene), stream: true });
    for await (const event of events) seen.text(event.choices[0]?.delta.content);
  };
  const calls = (seen, message) => {
    for (const call of message.tool_calls ?? []) seen.call(call.function.name, call.function.arguments);
  };
  return {
    async chat(seen) {
      const reply = await client.chat.completions.create({ model, messages: ask("chat") });
      seen.text(reply.choices[0].message.content);
    },
    stream: (seen) => stream(seen, "stream"),
    async tools(seen) {
      const reply = await client.chat.completions.create({ model, messages: ask("tools"), tools: chatTools });
      calls(seen, reply.choices[0].message);
    },
    async tools_streamed(seen) {
      const events = client.chat.completions.stream({ model, messages: ask("tools_streamed"), tools: chatTools });
      calls(seen, await events.finalMessage());
    },
    async structured(seen) {
      const format = zodResponseFormat(form, "form");
      const messages = ask("structured");
      const reply = await client.chat.completions.parse({ model, messages, response_format: format });
      seen.value = reply.choices[0].message.parsed;
    },
    async embeddings(seen) {
      const reply = await client.embeddings.create({ model, input: [ASKS.embeddings, "another"] });
      seen.vectors = reply.data.map((one) => one.embedding.length);
    },
    blocked: (seen) => client.chat.completions.create({ model, messages: ask("blocked") }),
    blocked_streamed: (seen) => stream(seen, "blocked_streamed"),
    denied: (seen) => stream(seen, "denied"),
    async masked(seen) {
      const events = client.chat.completions.stream({ model, messages: ask("masked") });
      events.on("content", (delta) => seen.text(delta));
      await events.finalContent();
    },
  };
}

function responses(urls) {
  const client = new OpenAI({ baseURL: `${urls.llama}/v1`, apiKey: KEY });
  // What the SDK gathers from a stream, which llama.cpp's has not the fields for.
  const other = new OpenAI({ baseURL: `${urls.other}/v1`, apiKey: KEY });
  const stream = async (seen, scene) => {
    const events = await client.responses.create({ model, input: ASKS[scene], stream: true });
    for await (const event of events) if (event.type === "response.output_text.delta") seen.text(event.delta);
  };
  const calls = (seen, reply) => {
    for (const item of reply.output) if (item.type === "function_call") seen.call(item.name, item.arguments);
  };
  return {
    async chat(seen) {
      seen.text((await client.responses.create({ model, input: ASKS.chat })).output_text);
    },
    stream: (seen) => stream(seen, "stream"),
    async tools(seen) {
      calls(seen, await client.responses.create({ model, input: ASKS.tools, tools: responseTools }));
    },
    async tools_streamed(seen) {
      const events = other.responses.stream({ model, input: ASKS.tools_streamed, tools: responseTools });
      calls(seen, await events.finalResponse());
    },
    async structured(seen) {
      const text = { format: zodTextFormat(form, "form") };
      seen.value = (await client.responses.parse({ model, input: ASKS.structured, text })).output_parsed;
    },
    blocked: (seen) => client.responses.create({ model, input: ASKS.blocked }),
    blocked_streamed: (seen) => stream(seen, "blocked_streamed"),
    denied: (seen) => stream(seen, "denied"),
    async masked(seen) {
      const events = other.responses.stream({ model, input: ASKS.masked });
      events.on("response.output_text.delta", (event) => seen.text(event.delta));
      await events.finalResponse();
    },
  };
}

await play({ openai: chat, "openai responses": responses });
