// On every page: theme, search as one types, copy buttons, help.
import { ask, copy, copyButton, make, say, stored, writing } from "./dom.js";

const root = document.documentElement;

function themeButton() {
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const button = make("button", { type: "button", className: "icon", id: "theme" });
  const show = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", dark() ? "Switch to the light theme" : "Switch to the dark theme");
  };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    stored.set("logkb-theme", root.dataset.theme);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
  return button;
}

const KEYS = [
  ["/", "search (on a report: find in the log)"], ["s", "search the knowledge base"], ["n", "next proving line"], ["p", "previous proving line"],
  ["f", "fold or unfold all steps"], ["g", "first line"], ["G", "last line"], ["t", "light or dark"], ["?", "this help"], ["Esc", "leave"],
];

function help() {
  const list = make("dl");
  for (const [key, what] of KEYS) list.append(make("dt", {}, make("kbd", { textContent: key })), make("dd", { textContent: what }));
  const close = make("button", { type: "button", textContent: "Close" });
  const dialog = make("dialog", { id: "help", "aria-labelledby": "help-title" }, make("h2", { id: "help-title", textContent: "Keys" }), list, close);
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  return dialog;
}

function searchBox() {
  const form = document.querySelector(".top .search");
  const input = form.querySelector("input");
  const list = make("ul", { className: "results", id: "results", role: "listbox", "aria-label": "Causes", hidden: true });
  form.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", "results"], ["aria-autocomplete", "list"]]) {
    input.setAttribute(name, value);
  }
  let chosen = -1, asked = 0, timer = 0, raw = null;
  const options = () => [...list.querySelectorAll("[role=option]")];
  const close = () => { list.hidden = true; chosen = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const choose = (index) => {
    const all = options();
    if (!all.length) return;
    chosen = (index + all.length) % all.length;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    input.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  };
  const show = (found) => {
    list.replaceChildren();
    chosen = -1;
    if (found.note || !found.hits.length) list.append(make("li", { className: "note", textContent: found.note || "Nothing is known about that." }));
    found.hits.forEach((hit, at) => {
      const snippet = make("span");
      if (hit.matched === "rule") snippet.append("this line is known · ");
      for (const piece of hit.snippet) snippet.append(piece.marked ? make("mark", { textContent: piece.text }) : piece.text);
      const option = make("li", { id: `result-${at}`, role: "option", "aria-selected": "false" }, make("b", { textContent: hit.title }), snippet);
      option.addEventListener("mousedown", (event) => { event.preventDefault(); location.href = `/causes/${encodeURIComponent(hit.cause)}`; });
      option.dataset.cause = hit.cause;
      list.append(option);
    });
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    say(found.hits.length === 1 ? "1 cause" : `${found.hits.length} causes`);
  };
  const look = async () => {
    const words = (raw ?? input.value).slice(0, 8000);
    const mine = ++asked;
    if (!words.trim()) { close(); return; }
    try {
      const found = await ask(`/api/search?limit=8&q=${encodeURIComponent(words)}`);
      if (mine === asked && document.activeElement === input) show(found);
    } catch (error) { if (mine === asked) say(error.message); }
  };
  // A field of one line drops the line breaks of what is pasted, and a rule may need them.
  input.addEventListener("paste", (event) => { const text = event.clipboardData?.getData("text") ?? ""; setTimeout(() => { raw = text.includes("\n") ? text : null; }); });
  input.addEventListener("input", () => { raw = null; clearTimeout(timer); timer = setTimeout(look, 120); });
  input.addEventListener("focus", () => { if (input.value && body.className !== "searching") look(); });
  input.addEventListener("blur", () => setTimeout(close, 100));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !list.hidden) { event.preventDefault(); choose(chosen + 1); }
    else if (event.key === "ArrowUp" && !list.hidden) { event.preventDefault(); choose(chosen - 1); }
    else if (event.key === "Escape") { if (list.hidden) input.blur(); else { event.preventDefault(); close(); } }
    else if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); location.href = `/causes/${encodeURIComponent(options()[chosen].dataset.cause)}`; }
  });
  return input;
}

const { body } = document;
const search = searchBox();
const dialog = help();
const theme = themeButton();
const ask_help = make("button", { type: "button", className: "icon", textContent: "?", "aria-label": "Keys", onclick: () => dialog.showModal() });
document.querySelector(".top").append(make("div", { className: "icons" }, theme, ask_help));

document.addEventListener("keydown", (event) => {
  if (writing(event) || dialog.open) return;
  const find = document.getElementById("find");
  const to = (field) => { event.preventDefault(); field.focus(); field.select(); };
  if (event.key === "/") to(find ?? search);
  else if (event.key === "s") to(search);
  else if (event.key === "?") { event.preventDefault(); dialog.showModal(); }
  else if (event.key === "t") theme.click();
});

for (const code of document.querySelectorAll(".fix p:not(.confirm) code, .fix li code, .fix .confirm code:first-of-type, code.run")) code.after(copyButton(code.textContent));
for (const block of document.querySelectorAll("main pre")) {
  const code = block.querySelector("code");
  if (code && !code.classList.contains("language-log")) {
    code.textContent = code.textContent.replace("{origin}", location.origin);
    block.append(copyButton(code.textContent));
  }
}
for (const link of document.querySelectorAll("[data-copy-link], [data-copy-from]")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    const label = link.textContent;
    const text = "copyLink" in link.dataset ? link.href : await (await fetch(link.href)).text();
    link.textContent = (await copy(text)) ? "Copied" : "Could not copy";
    say(link.textContent);
    setTimeout(() => { link.textContent = label; }, 1600);
  });
}
