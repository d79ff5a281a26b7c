// Colours and patterns of the picture; the colours are those of the style sheet, so they follow dark and light.

// `--text` is the colour of letters.
const NAMES = { text: 'text-kind' };

export class Colours {
  constructor(context, element, scale) {
    const style = getComputedStyle(element);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    this.text = of('text');
    this.muted = of('muted');
    this.line = of('line');
    this.row = of('row');
    this.cursor = of('accent');
    this.kinds = Object.fromEntries(['video', 'audio', 'text'].map((kind) => [kind, { mean: of(NAMES[kind] ?? kind), most: of(`${kind}-light`) }]));
    this.gap = { ink: of('gap'), pattern: pattern(context, scale, of('gap'), of('gap-ground'), stripes) };
    this.overlap = { ink: of('overlap'), pattern: pattern(context, scale, of('overlap'), of('overlap-ground'), crosses) };
    this.misaligned = { ink: of('misaligned'), pattern: pattern(context, scale, of('misaligned'), of('misaligned-ground'), dots) };
    this.font = `11px ${style.fontFamily}`;
  }

  kind(type) { return this.kinds[type] ?? this.kinds.text; }
}

const TILE = 8;

function pattern(context, scale, ink, ground, draw) {
  const tile = document.createElement('canvas');
  tile.width = TILE * scale;
  tile.height = TILE * scale;
  const on = tile.getContext('2d');
  on.scale(scale, scale);
  on.fillStyle = ground;
  on.fillRect(0, 0, TILE, TILE);
  on.strokeStyle = ink;
  on.fillStyle = ink;
  on.lineWidth = 1.6;
  draw(on);
  const made = context.createPattern(tile, 'repeat');
  made.setTransform(new DOMMatrix().scale(1 / scale));
  return made;
}

function lines(on, ...ends) {
  on.beginPath();
  for (const [fromX, fromY, toX, toY] of ends) {
    on.moveTo(fromX, fromY);
    on.lineTo(toX, toY);
  }
  on.stroke();
}

const RISING = [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]];
const FALLING = [[-2, -2, 10, 10], [6, -2, 10, 2], [-2, 6, 2, 10]];

function stripes(on) { lines(on, ...RISING); }

function crosses(on) { lines(on, ...RISING, ...FALLING); }

function dots(on) {
  for (const [x, y] of [[2, 2], [6, 6]]) {
    on.beginPath();
    on.arc(x, y, 1.3, 0, 7);
    on.fill();
  }
}
