// What every program here does: play scenes through each entrance of a gateway, and say in one line of JSON a scene
// what the user got to see. The same as scenes.py, which says more about it.

const setting = JSON.parse(process.env.SETTING);

export const KEY = setting.key;
export const ASKS = setting.asks; // scene -> what the user asks in it

export const LOOKUP = {
  name: "lookup",
  description: "Find a person.",
  parameters: { type: "object", properties: { email: { type: "string" } }, required: ["email"] },
};
export const FORM = {
  type: "object",
  properties: { person: { type: "string" }, mail: { type: "string" } },
  required: ["person", "mail"],
  additionalProperties: false,
};

export const ask = (scene) => [{ role: "user", content: ASKS[scene] }];

class Seen {
  pieces = [];
  calls = [];
  value = null;
  vectors = [];
  error = null;

  text(piece) {
    if (piece) this.pieces.push(piece);
  }

  call(name, args) {
    this.calls.push([name, typeof args === "string" ? JSON.parse(args) : args]);
  }

  fail(error) {
    this.error = { kind: error.name === "Error" ? error.constructor.name : error.name, message: error.message };
  }
}

// `clients`: name -> a function that makes, from the base URLs by route, an object of scenes.
export async function play(clients) {
  for (const [entrance, urls] of Object.entries(setting.entrances)) {
    for (const [name, make] of Object.entries(clients)) {
      const client = make(urls);
      for (const scene of Object.keys(ASKS)) {
        if (!client[scene]) continue;
        const seen = new Seen();
        try {
          await client[scene](seen);
        } catch (error) {
          seen.fail(error);
        }
        console.log(JSON.stringify({ client: name, entrance, scene, ...seen }));
      }
    }
  }
}
