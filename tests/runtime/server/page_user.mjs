// Runs the page's own script against a real server, on the few parts of a document that it uses,
// and does what a person would: asks, rates, asks again, stops, asks anew. Prints what is shown.
// node page_user.mjs URL
import { readFileSync } from "node:fs";

const base = process.argv[2];
const html = await (await fetch(base + "/")).text();
const script = /<script>([\s\S]*?)<\/script>/.exec(html)[1];

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], attributes: {}, listeners: {}, hidden: false, value: "" });
    Object.assign(this, { textContent: "", className: "", parent: null });
    this.classList = { add: (name) => { this.className += " " + name; } };
  }
  append(...added) { for (const one of added) { one.parent = this; this.children.push(one); } }
  remove() { this.parent.children = this.parent.children.filter((one) => one !== this); }
  replaceChildren() { this.children = []; }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, call) { (this.listeners[name] ??= []).push(call); }
  get lastElementChild() { return this.children.at(-1); }
  async fire(name, event = {}) {
    for (const call of this.listeners[name] ?? []) await call({ preventDefault() {}, ...event });
  }
  requestSubmit() { return this.fire("submit"); }
  scrollIntoView() {}
  focus() {}
  all() { return [this, ...this.children.flatMap((child) => child.all())]; }
}

const named = {};
for (const [, id] of html.matchAll(/\sid="(\w+)"/g)) named[id] = new Element(id);
const document = new Element("document");
document.getElementById = (id) => named[id] ?? null;
document.createElement = (tag) => new Element(tag);
document.querySelectorAll = () =>
  named.log.all().filter((e) => e.attributes["aria-label"] === "Answer again");

const asked = [];
// The tiny model's weights are random: a seed, so that it says the same in every run, and no early end.
const same = { seed: 3, max_tokens: 300, ignore_eos: true };
const fromPage = (path, options = {}) => {
  let body = options.body;
  if (body) asked.push(JSON.parse(body));
  if (path.endsWith("/completions")) body = JSON.stringify({ ...JSON.parse(body), ...same });
  return fetch(base + path, { ...options, body });
};
new Function("document", "fetch", script)(document, fromPage);

const until = async (condition) => {
  const ends = Date.now() + 20000;
  while (!condition()) {
    if (Date.now() > ends) throw new Error("waited too long");
    await new Promise((go) => setTimeout(go, 5));
  }
};
const say = async (text) => { named.say.value = text; await named.ask.fire("submit"); };
const idle = () => named.stop.hidden && !named.send.hidden;
const last = () => named.log.lastElementChild;
const press = (label) => last().all().find((e) => e.attributes["aria-label"] === label).fire("click");

named.stop.hidden = true;
await until(() => named.model.textContent.includes("on this device"));
await say("hello");
await until(() => named.stop.hidden === false);
await until(idle);
const first = last().children[1].textContent;
await press("Good answer");
const rated = last().all().find((e) => e.attributes["aria-label"] === "Good answer").attributes;
await press("Answer again");
await until(() => named.stop.hidden === false);
await until(idle);
const entries = named.log.children.length;
await say("and more");
await until(() => named.stop.hidden === false);
await named.stop.fire("click");
await until(idle);
const figures = Object.fromEntries(
  ["first", "speed", "budget", "cost", "ended"].map((id) => [id, named[id].textContent]));
console.log(JSON.stringify({ first, rated, entries, figures, asked }));
