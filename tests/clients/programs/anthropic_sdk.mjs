// The `@anthropic-ai/sdk` for Node.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";

import { KEY, LOOKUP, ask, play } from "./scenes.mjs";

const common = { model: "tiny", max_tokens: 200 };
const form = z.object({ person: z.string(), mail: z.string() });
const tools = [{ name: LOOKUP.name, description: LOOKUP.description, input_schema: LOOKUP.parameters }];

function messages(urls) {
  const client = new Anthropic({ baseURL: urls.llama, apiKey: KEY });
  const bearer = new Anthropic({ baseURL: urls.llama, authToken: KEY });
  const stream = async (seen, scene) => {
    const events = client.messages.stream({ ...common, messages: ask(scene) });
    events.on("text", (piece) => seen.text(piece));
    await events.finalMessage();
  };
  const calls = (seen, message) => {
    for (const block of message.content) if (block.type === "tool_use") seen.call(block.name, block.input);
  };
  return {
    async chat(seen) {
      const reply = await bearer.messages.create({ ...common, messages: ask("chat") });
      for (const block of reply.content) seen.text(block.text);
    },
    stream: (seen) => stream(seen, "stream"),
    async tools(seen) {
      calls(seen, await client.messages.create({ ...common, messages: ask("tools"), tools }));
    },
    async tools_streamed(seen) {
      calls(seen, await client.messages.stream({ ...common, messages: ask("tools_streamed"), tools }).finalMessage());
    },
    async structured(seen) {
      const output_config = { format: zodOutputFormat(form) };
      const reply = await client.messages.parse({ ...common, messages: ask("structured"), output_config });
      seen.value = reply.parsed_output;
    },
    blocked: (seen) => client.messages.create({ ...common, messages: ask("blocked") }),
    blocked_streamed: (seen) => stream(seen, "blocked_streamed"),
    async denied(seen) {
      const events = await client.messages.create({ ...common, messages: ask("denied"), stream: true });
      for await (const event of events) if (event.type === "content_block_delta") seen.text(event.delta.text);
    },
    masked: (seen) => stream(seen, "masked"),
  };
}

await play({ anthropic: messages });
