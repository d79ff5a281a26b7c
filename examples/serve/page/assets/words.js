// Numbers in words.

const whole = new Intl.NumberFormat('en');
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export function count(number, one, many = `${one}s`) {
  return `${whole.format(number)} ${number === 1 ? one : many}`;
}

export const plain = (number) => whole.format(number);

export function size(bytes) {
  if (!Number.isFinite(bytes)) return '–';
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB']);
}

export function bitrate(bits) {
  if (!Number.isFinite(bits) || bits <= 0) return '–';
  return scaled(bits, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
}

function scaled(number, units) {
  let [value, place] = [number, 0];
  while (value >= 999.5 && place < units.length - 1) [value, place] = [value / 1000, place + 1];
  return `${place === 0 ? whole.format(value) : fine.format(value)} ${units[place]}`;
}

/** Returns a place in time or a length as a clock shows it: `1:02:03.5`. */
export function clock(seconds, digits = 0) {
  if (!Number.isFinite(seconds)) return '–';
  const factor = 10 ** digits;
  const rounded = Math.round(Math.abs(seconds) * factor) / factor;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor(rounded / 60) % 60;
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, '0');
  const sign = seconds < 0 && rounded > 0 ? '−' : '';
  return hours > 0 ? `${sign}${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${sign}${minutes}:${rest}`;
}

/** Returns a short length: `2 s`, `40 ms`, `2.002 s`. */
export function length(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds === 0) return '0 s';
  if (seconds >= 120) return clock(seconds);
  if (seconds >= 1) return `${Number(seconds.toFixed(3))} s`;
  if (seconds >= 0.001) return `${fine.format(seconds * 1000)} ms`;
  return `${fine.format(seconds * 1e6)} µs`;
}
