// The keyboard: what a key does wherever the focus is.

const writes = (node) => node.matches?.("input:not([type=radio]), select, textarea");

/** `actions` maps a key to what it does; a key that is typed into a field does nothing. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const action = actions[event.key];
    if (!action || (event.key !== "Escape" && writes(event.target))) return;
    event.preventDefault();
    action(event);
  });
}
