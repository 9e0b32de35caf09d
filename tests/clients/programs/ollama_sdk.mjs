// The `ollama` SDK for Node: chat, generate and embed.

import { Ollama } from "ollama";

import { ASKS, FORM, KEY, LOOKUP, ask, play } from "./scenes.mjs";

const model = "tiny";
const tools = [{ type: "function", function: LOOKUP }];

function chat(urls) {
  const client = new Ollama({ host: urls.ollama, headers: { authorization: `Bearer ${KEY}` } });
  const stream = async (seen, scene) => {
    const lines = await client.chat({ model, messages: ask(scene), stream: true });
    for await (const line of lines) seen.text(line.message.content);
  };
  const calls = (seen, message) => {
    for (const call of message.tool_calls ?? []) seen.call(call.function.name, call.function.arguments);
  };
  return {
    async chat(seen) {
      seen.text((await client.chat({ model, messages: ask("chat") })).message.content);
    },
    stream: (seen) => stream(seen, "stream"),
    async tools(seen) {
      calls(seen, (await client.chat({ model, messages: ask("tools"), tools })).message);
    },
    async tools_streamed(seen) {
      const lines = await client.chat({ model, messages: ask("tools_streamed"), tools, stream: true });
      for await (const line of lines) calls(seen, line.message);
    },
    async structured(seen) {
      const reply = await client.chat({ model, messages: ask("structured"), format: FORM });
      seen.value = JSON.parse(reply.message.content);
    },
    async embeddings(seen) {
      const reply = await client.embed({ model, input: [ASKS.embeddings, "another"] });
      seen.vectors = reply.embeddings.map((one) => one.length);
    },
    blocked: (seen) => client.chat({ model, messages: ask("blocked") }),
    blocked_streamed: (seen) => stream(seen, "blocked_streamed"),
    denied: (seen) => stream(seen, "denied"),
    async masked(seen) {
      const lines = await client.generate({ model, prompt: ASKS.masked, stream: true });
      for await (const line of lines) seen.text(line.response);
    },
  };
}

await play({ ollama: chat });
