// Small helpers. Text reaches the page by textContent alone, so that a log can never become markup.

/** An element with properties, and children that are nodes or text. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Tell a screen reader. */
export function say(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

/** A JSON answer; an error carries the server's own sentence. */
export async function ask(url, options = {}) {
  const response = await fetch(url, { headers: { accept: "application/json" }, ...options });
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Error(body?.detail ?? `The server answered ${response.status}.`);
  return body;
}

/** Into the clipboard; true when that worked. Plain http on another machine has no clipboard API. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { value: text, className: "hidden" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** A button that copies and says so. */
export function copyButton(text, label = "Copy") {
  const button = make("button", { type: "button", className: "copy", textContent: label, "aria-label": `Copy: ${text.slice(0, 80)}` });
  button.addEventListener("click", async () => {
    button.textContent = (await copy(text)) ? "Copied" : "Select and copy it";
    say(button.textContent);
    setTimeout(() => { button.textContent = label; }, 1600);
  });
  return button;
}

/** True while somebody writes: then keys are letters, not commands. */
export function writing(event) {
  return event.ctrlKey || event.metaKey || event.altKey || /^(input|textarea|select)$/i.test(event.target.tagName);
}

/** Storage that may be closed to us. */
export const stored = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* then it is forgotten */ } },
  remove(name) { try { localStorage.removeItem(name); } catch { /* nothing was kept */ } },
};
