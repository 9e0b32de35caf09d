// Vercel's `ai`, over its OpenAI provider (responses, and chat) and the one for servers that are like OpenAI's.

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, embedMany, generateText, jsonSchema, streamText, tool } from "ai";

import { ASKS, FORM, KEY, LOOKUP, play } from "./scenes.mjs";

const tools = { lookup: tool({ description: LOOKUP.description, inputSchema: jsonSchema(LOOKUP.parameters) }) };

function scenes(model, vectors) {
  // A stream of this SDK ends without a word; what went wrong is told to `onError` alone.
  const stream = async (seen, scene, more = {}) => {
    const onError = ({ error }) => seen.fail(error);
    const reply = streamText({ model, prompt: ASKS[scene], onError, ...more });
    for await (const part of reply.fullStream) {
      if (part.type === "text-delta") seen.text(part.text);
      if (part.type === "tool-call") seen.call(part.toolName, part.input);
    }
  };
  const made = {
    async chat(seen) {
      seen.text((await generateText({ model, prompt: ASKS.chat })).text);
    },
    stream: (seen) => stream(seen, "stream"),
    async tools(seen) {
      const reply = await generateText({ model, prompt: ASKS.tools, tools });
      for (const call of reply.toolCalls) seen.call(call.toolName, call.input);
    },
    tools_streamed: (seen) => stream(seen, "tools_streamed", { tools }),
    async structured(seen) {
      const output = Output.object({ schema: jsonSchema(FORM) });
      seen.value = (await generateText({ model, prompt: ASKS.structured, output })).output;
    },
    blocked: (seen) => generateText({ model, prompt: ASKS.blocked }),
    blocked_streamed: (seen) => stream(seen, "blocked_streamed"),
    denied: (seen) => stream(seen, "denied"),
    masked: (seen) => stream(seen, "masked"),
  };
  if (vectors) {
    made.embeddings = async (seen) => {
      const reply = await embedMany({ model: vectors, values: [ASKS.embeddings, "another"] });
      seen.vectors = reply.embeddings.map((one) => one.length);
    };
  }
  return made;
}

const openai = (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey: KEY });

await play({
  "ai openai responses": (urls) => {
    // llama.cpp's stream has not the fields that this provider wants.
    const { chat, tools, structured } = scenes(openai(urls.llama).responses("tiny"));
    return { ...scenes(openai(urls.other).responses("tiny")), chat, tools, structured };
  },
  "ai openai chat": (urls) => scenes(openai(urls.llama).chat("tiny"), openai(urls.llama).embeddingModel("tiny")),
  "ai openai-compatible": (urls) => {
    const like = createOpenAICompatible({
      name: "tiny",
      baseURL: `${urls.llama}/v1`,
      apiKey: KEY,
      supportsStructuredOutputs: true,
    });
    return scenes(like.chatModel("tiny"), like.embeddingModel("tiny"));
  },
});
