// The start page: a log by drop, by choice or by paste, sent with its progress shown.
import { make, say, stored } from "./dom.js";

const form = document.getElementById("send");
const file = document.getElementById("log");
const text = document.getElementById("text");
const error = document.getElementById("error");
const hint = document.getElementById("drop-hint");
const progress = document.getElementById("progress");
const limit = Number(form.dataset.limit);
const said = hint.textContent;

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`);

function fail(message) {
  error.textContent = message;
  error.hidden = false;
  progress.hidden = true;
  hint.textContent = said;
  form.querySelector("[type=submit]").disabled = false;
}

function send(body, name) {
  if (!body.size) { fail("There is nothing in it: choose a file, or paste the end of the log."); return; }
  if (body.size > limit) { fail(`${name} has ${size(body.size)}; this server takes ${size(limit)}. Compress it with gzip, or use logkb analyze.`); return; }
  error.hidden = true;
  progress.hidden = false;
  form.querySelector("[type=submit]").disabled = true;
  const [bar, words] = progress.children;
  bar.removeAttribute("value");
  words.textContent = `Sending ${name}, ${size(body.size)}`;
  say(words.textContent);
  // Not fetch: it does not tell how much of a body has been sent.
  const request = new XMLHttpRequest();
  request.open("POST", `/api/analyze?wait=false&name=${encodeURIComponent(name.slice(0, 200))}`);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / Math.max(1, event.total); });
  request.addEventListener("load", () => {
    if (request.status === 202) location.href = `/reports/${request.response.id}`;
    else fail(request.response?.detail ?? `The server answered ${request.status}.`);
  });
  request.addEventListener("error", () => fail("The log could not be sent: the server went away, or refused it. Try again."));
  request.send(body);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (file.files.length) send(file.files[0], file.files[0].name);
  else send(new Blob([text.value]), "pasted log");
});
file.addEventListener("change", () => { if (file.files.length) send(file.files[0], file.files[0].name); });
text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });

let over = 0;
const holds = (event) => [...(event.dataTransfer?.types ?? [])].some((type) => type === "Files" || type === "text/plain");
addEventListener("dragenter", (event) => { if (holds(event)) { over += 1; form.classList.add("over"); } });
addEventListener("dragleave", () => { over = Math.max(0, over - 1); if (!over) form.classList.remove("over"); });
addEventListener("dragover", (event) => { if (holds(event)) event.preventDefault(); });
addEventListener("drop", (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  over = 0;
  form.classList.remove("over");
  const [first, second] = event.dataTransfer.files;
  if (second) fail("One log at a time: put several into one zip archive, and they are read together.");
  else if (first) send(first, first.name);
  else send(new Blob([event.dataTransfer.getData("text/plain")]), "dropped text");
});
// A page that comes back from the history must not think that it still sends.
addEventListener("pageshow", () => { progress.hidden = true; form.querySelector("[type=submit]").disabled = false; form.reset(); });

const recent = document.getElementById("recent");
let known = [];
try { known = JSON.parse(stored.get("logkb-recent") ?? "[]"); } catch { /* somebody else's words */ }
if (Array.isArray(known) && known.length) {
  const forget = make("button", { type: "button", className: "link small", textContent: "Forget them", onclick: () => { stored.remove("logkb-recent"); recent.hidden = true; } });
  for (const item of known) {
    const link = make("a", { href: `/reports/${encodeURIComponent(item.id)}`, textContent: item.title });
    recent.querySelector("ul").append(make("li", {}, link, make("span", { className: "dim small", textContent: `${item.source}, ${new Date(item.time).toLocaleString()}` })));
  }
  recent.append(forget);
  recent.hidden = false;
}
