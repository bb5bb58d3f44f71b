// An SQS on loopback that lives by the clock of whoever calls: each call says in X-Now how late it is.
import { buildApp } from "fauxqs";

let now = 0; // milliseconds since 1970
Date.now = () => now;

const app = buildApp({ logger: false });
app.addHook("onRequest", async (request) => {
  now = Number(request.headers["x-now"]);
});
console.log(await app.listen({ host: "127.0.0.1", port: 0 })); // its own program listens to every machine
