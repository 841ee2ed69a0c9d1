// Build elements. Text goes in as text: nothing here, or anywhere on this page, turns a string into markup.

/** Make an element; `attributes` may hold `on` (listeners) and `data`; false, null and undefined are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  const { on = {}, data = {}, ...rest } = attributes;
  for (const [name, value] of Object.entries(rest)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, value] of Object.entries(data)) node.dataset[name] = value;
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const SHAPES = {
  checks: ["M3 7.2l2.2 2.2L9 4.6", "M13 7.2l2.2 2.2L19 4.6", "M3 17.2l2.2 2.2L9 14.6", "M13 17.2l2.2 2.2L19 14.6"],
  hash: ["M8.5 4l-2 16", "M17.5 4l-2 16", "M4.5 9h16", "M3.5 15h16"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  send: ["M4 12l16-8-6 16-3-6.5z"],
  down: ["M7 10l5 5 5-5"],
  dots: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  back: ["M14 6l-6 6 6 6"],
  bolt: ["M13 3L5 14h6l-1 7 8-11h-6z"],
  box: ["M4 5h16v4H4z", "M6 9v10h12V9", "M10 13h4"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  reset: ["M5 12a7 7 0 1 0 2.2-5.1", "M4.5 4v4h4"],
  code: ["M9 7l-5 5 5 5", "M15 7l5 5-5 5"],
  bell: ["M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15z", "M10 21h4"],
  eye: ["M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z", "M12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z"],
};

/** Draw one of the page's own icons; it says nothing to a screen reader. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const shape of SHAPES[name]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

let made = 0;

/** Give an id that no other element of the page has. */
export function newId(prefix) {
  made += 1;
  return `${prefix}-${made}`;
}

/** Put children in place of those that are there. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}
