// The token that changes need: it comes in the page's address, after the #, which is never sent.

const KEY = "socketlab-token";
const MARK = "#token=";

/** Takes the token out of the address, if it has one, and keeps it for this tab. */
export function take() {
  if (!location.hash.startsWith(MARK)) return;
  sessionStorage.setItem(KEY, decodeURIComponent(location.hash.slice(MARK.length)));
  history.replaceState(null, "", location.pathname);
}

/** The token, or null. */
export const token = () => sessionStorage.getItem(KEY);

/** What to say to somebody who has none. */
export const MISSING =
  "Changing the bench needs its token: open the address that the bench printed at its start " +
  `(${location.origin}/#token=…) in this tab.`;
