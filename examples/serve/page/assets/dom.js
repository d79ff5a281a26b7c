// Elements. Texts become text nodes: nothing here, or anywhere in the page, parses HTML.

/** Makes an element. Attributes that are `null` or `false` are left out; functions listen to the event `onNAME`. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  append(made, children);
  return made;
}

/** Replaces all children. */
export function replace(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    parent.append(child);
  }
}

/** Makes a name out of content: isolated from the direction of the text around it. */
export function name(text, attributes = {}) {
  return element('bdi', { class: 'name', ...attributes }, text);
}

/** Makes a table with a heading per column; `class` of a column is that of its cells too. */
export function table(caption, columns, rows) {
  return element(
    'table', {},
    element('caption', { class: 'unseen' }, caption),
    element('thead', {}, element('tr', {}, columns.map(({ title, class: kind }) => (
      element('th', { scope: 'col', class: kind }, title)
    )))),
    element('tbody', {}, rows),
  );
}
