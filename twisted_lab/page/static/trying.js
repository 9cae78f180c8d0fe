// The commands to paste, to try a service with.

import { element } from "./element.js";

/** How long a copy button says that it has copied, in milliseconds. */
const SAID = 1500;

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.closest(".command").querySelector("code"));
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, SAID);
}

function command({ title, language, text }) {
  const button = element("button", { type: "button", class: "quiet", "aria-label": `Copy: ${title}`,
    onclick: () => copy(text, button) }, "Copy");
  return element("div", { class: "command" },
    element("div", { class: "head" }, element("h4", {}, title), button),
    element("pre", { tabindex: "0", "aria-label": title },
      element("code", { class: `language-${language}` }, text)));
}

/** The panel of `commands`, each `{title, language, text}`. */
export const trying = (commands) => element("div", { class: "commands" }, ...commands.map(command));
