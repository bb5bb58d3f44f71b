// Checks pages of mails: {name: page} on stdin; on stdout, as JSON, what html-validate and caniemail say of each.
import { caniemail } from "caniemail";
import { HtmlValidate, StaticConfigLoader } from "html-validate";

const RULES = {
  // Outlook for Windows is Word: it needs what HTML 5 has no more, comments of its own, and styles where they are used.
  "no-conditional-comment": "off",
  "no-deprecated-attr": "off",
  "no-inline-style": "off",
  "prefer-tbody": "off",
  "presentation-role-style": "off", // more screen readers know this word than the newer one
  "no-trailing-whitespace": "off", // nobody sees it, and templates leave some
  "long-title": "off", // the title is the subject, which is as long as its language makes it
};
const CLIENTS = ["outlook.*", "gmail.*", "apple-mail.*", "yahoo.*"]; // of others not all is known

const pages = JSON.parse(await new Response(process.stdin).text());
const checker = new HtmlValidate(new StaticConfigLoader({ root: true, extends: ["html-validate:recommended"], rules: RULES }));
const told = {};
for (const [name, page] of Object.entries(pages)) {
  const report = await checker.validateString(page, `${name}.html`);
  const wrong = report.results.flatMap((result) => result.messages.map((m) => `${m.ruleId} ${m.line}: ${m.message}`));
  const { errors } = caniemail({ clients: CLIENTS, html: page }).issues;
  const unsupported = [...errors].flatMap(([client, issues]) => issues.map((issue) => [client, issue.title]));
  told[name] = { wrong, unsupported };
}
console.log(JSON.stringify(told));
