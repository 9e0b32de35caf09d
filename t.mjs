import OpenAI from "openai";
const c=new OpenAI({apiKey:"k",baseURL:"http://127.0.0.1:18765/v1",maxRetries:0});
try { for await (const e of await c.responses.create({model:"tiny",input:"x",stream:true})) {} console.log("no error") } catch(e) { console.log("node create:",e.constructor.name,e.message,e.code) }
try { const s=c.responses.stream({model:"tiny",input:"x"}); for await (const e of s) {} await s.finalResponse(); console.log("no error") } catch(e) { console.log("node stream:",e.constructor.name,e.message) }
