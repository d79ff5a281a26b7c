"""A chart of processor time a request as a multiple of nginx's, in SVG."""

from html import escape

from figures import BASE

WIDTH, LEFT, TOP = 900, 46, 104
PANEL, BARS = 230, 160
# Dark enough for white figures on them.
COLOURS = ["#3b6ea5", "#c05a00", "#2e7d32", "#8e4a8b", "#b03a3a"]

STYLE = """
text { font: 12px sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold }
.small { font-size: 11px } .figure { font-size: 11px; fill: #fff } .line { stroke: #bbb } .one, .spread { stroke: #222; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text:not(.figure) { fill: #ddd } .line { stroke: #555 } .one, .spread { stroke: #ddd }
}
"""


def chart(cases, machine):
    """A panel for each number of connections, in it a group of bars for each kind. The line at 1 is
    nginx; whiskers go from the lowest to the highest ratio of a round."""
    servers = [name for name in dict.fromkeys(n for case in cases for n in case.rounds) if name != BASE]
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(servers)}
    connections = list(dict.fromkeys(case.connections for case in cases))
    parts = head(colours, machine)
    for number, count in enumerate(connections):
        of_count = [case for case in cases if case.connections == count]
        parts += panel(TOP + number * PANEL, count, of_count, colours)
    height = TOP + len(connections) * PANEL
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{STYLE}</style>", *parts, "</svg>\n"]
    )


def head(colours, machine):
    software = ", ".join(f"{name} {machine[name]}" for name in ("smooth-origin", "rustc", "nginx", "wrk"))
    parts = [
        text(LEFT, 22, "Processor time a request, as a multiple of nginx with the same files", "title"),
        text(LEFT, 42, f"{machine['date']}; {machine['processor']}; {machine['kernel']}", "small"),
        text(LEFT, 58, software, "small"),
    ]
    x = LEFT
    for name, colour in colours.items():
        parts += [bar(x, 72, 12, 12, colour), text(x + 18, 82, name)]
        x += 40 + 7 * len(name)
    return parts


def panel(top, connections, cases, colours):
    ratios = {
        (case.kind, name): case.ratio(name) for case in cases for name in colours if name in case.rounds
    }
    highest = max([1.25, *(spread.high for spread in ratios.values())])
    step = next(step for step in (0.25, 0.5, 1, 2, 5, 10, 1e9) if highest / step <= 6)
    floor = top + 22 + BARS

    def y(value):
        return floor - BARS * value / highest

    parts = [text(LEFT, top + 12, f"{connections} connection{'s' * (connections > 1)}")]
    for i in range(int(highest / step) + 1):
        parts += [line(LEFT, y(i * step), WIDTH - 10, y(i * step), "line")]
        parts += [text(LEFT - 6, y(i * step) + 4, f"{i * step:g}", "small", "end")]
    group = (WIDTH - 10 - LEFT) / len(cases)
    width = min(34, group * 0.8 / max(1, len(colours)))
    for i, case in enumerate(cases):
        middle = LEFT + group * (i + 0.5)
        parts.append(text(middle, floor + 18, case.kind, anchor="middle"))
        for j, name in enumerate(name for name in colours if name in case.rounds):
            x = middle + width * (j - (len(case.rounds) - 1) / 2)
            spread = ratios[case.kind, name]
            parts.append(bar(x + 1, y(spread.middle), width - 2, floor - y(spread.middle), colours[name]))
            parts.append(line(x + width / 2, y(spread.low), x + width / 2, y(spread.high), "spread"))
            parts.append(text(x + width / 2, floor - 5, f"{spread.middle:.2f}", "figure", "middle"))
    return [*parts, line(LEFT, y(1), WIDTH - 10, y(1), "one")]


def text(x, y, content, style="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'
