// Say something to those who listen to the page, without leaving the words lying about in it.

const LINGER_MS = 1000;

/** Say a text once, when the screen reader has finished what it is saying. */
export function announce(text) {
  if (text === "") return;
  if (typeof document.ariaNotify === "function") {
    document.ariaNotify(text);
    return;
  }
  const place = document.getElementById("said");
  const said = document.createElement("p");
  said.textContent = text;
  place.append(said);
  setTimeout(() => said.remove(), LINGER_MS);
}
