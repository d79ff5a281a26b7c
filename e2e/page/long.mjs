// A made-up presentation of three hours and ten tracks, with irregularities.

import { addressOf } from './browser.mjs';

const NAME = 'long.ism';
const FRAGMENTS = 5400;
const TICKS = 20_000_000;

function tracksOf(type, number) {
  const noise = (at) => (Math.sin(at * 12.9898) * 43758.5453) % 1;
  return Array.from({ length: number }, (_, place) => {
    const late = type === 'video' && place === 2;
    const times = { starts: [], durations: [], sizes: [], offsets: [], gaps: [], overlaps: [], misaligned: [] };
    let [at, offset] = [0, 1000];
    for (let fragment = 0; fragment < FRAGMENTS; fragment += 1) {
      if (late && fragment % 1800 === 900) {
        times.gaps.push({ after: fragment - 1, ticks: TICKS / 2 });
        at += TICKS / 2;
      }
      if (late && fragment > 900 && fragment < 1200) times.misaligned.push(fragment);
      times.starts.push(at);
      times.durations.push(TICKS);
      const size = Math.round((place + 1) * 120_000 * (1 + 0.45 * Math.sin(fragment / 180) + 0.35 * Math.abs(noise(fragment + place))));
      times.sizes.push(size);
      times.offsets.push(offset);
      offset += size;
      at += TICKS;
    }
    if (type === 'audio' && place === 1) times.overlaps.push({ after: 2000, ticks: 4000 });
    return { ...times, url: `QualityLevels(${(place + 1) * 500_000})/Fragments(${type}={start time})`, left_out: 0, sizes_unknown: false };
  });
}

const KINDS = { video: 6, audio: 3, text: 1 };
const TIMELINE = {
  name: NAME,
  streams: Object.entries(KINDS).map(([type, number]) => ({ type, name: type, timescale: 10_000_000, first: '0', tracks: tracksOf(type, number) })),
};
const PRESENTATION = {
  name: NAME, live: false, duration_seconds: 10_800, size: 12_000_000_000, protection: [], findings: [],
  streams: Object.entries(KINDS).map(([type, number]) => ({
    type, name: type, language: 'en', language_words: 'English', role: null, timescale: 10_000_000, fragments: FRAGMENTS,
    tracks: Array.from({ length: number }, (_, place) => ({
      id: place + 1, name: null, bitrate: (place + 1) * 500_000, measured_bitrate: (place + 1) * 490_000, peak_bitrate: (place + 1) * 800_000,
      codec: { video: 'H.264 High, level 3.1', audio: 'AAC-LC', text: 'TTML' }[type], rfc6381: { video: 'avc1.64001f', audio: 'mp4a.40.2', text: 'stpp' }[type],
      width: type === 'video' ? 320 * (place + 1) : null, height: type === 'video' ? 180 * (place + 1) : null, size: 1e9, file: `${type}.ismv`, encrypted: null,
    })),
  })),
  urls: [{ format: 'dash', label: 'DASH', url: `/${NAME}/manifest.mpd` }],
};
const [timeline, presentation] = [JSON.stringify(TIMELINE), JSON.stringify(PRESENTATION)];

/** Opens it in a page of the server, and waits for the picture. */
export async function long(page, url) {
  const send = (body) => (route) => route.fulfill({ contentType: 'application/json', body });
  await page.route('**/-/api/timeline?**', send(timeline));
  await page.route('**/-/api/presentation?**', send(presentation));
  await page.goto(addressOf(url, NAME));
  await page.waitForFunction(() => performance.getEntriesByName('timeline').length > 0);
}
