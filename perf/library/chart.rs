//! Curves as SVG.

use std::fmt::Write;

/// One curve: what it is of, and its points.
pub struct Curve<'a> {
    pub name: &'a str,
    pub points: Vec<(f64, f64)>,
}

/// Curves over one another, under a title.
pub struct Panel<'a> {
    pub title: String,
    pub curves: Vec<Curve<'a>>,
    /// A level that no curve may pass.
    pub limit: Option<f64>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 30.0;
const COLOURS: [&str; 3] = ["#0b6e99", "#c2410c", "#4d7c0f"];

/// All panels below one another, over the same axis.
pub fn svg(panels: &[Panel<'_>], axis: &str) -> String {
    let (width, height) = (LEFT + WIDTH + 20.0, panels.len() as f64 * (HEIGHT + TOP + 20.0) + 30.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        panel.draw(TOP + number as f64 * (HEIGHT + TOP + 20.0), &mut text);
    }
    let (x, y) = (LEFT + WIDTH / 2.0, height - 10.0);
    let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{axis}</text>");
    text + "</svg>\n"
}

impl Panel<'_> {
    fn draw(&self, top: f64, text: &mut String) {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let most_x = points().map(|point| point.0).fold(1.0, f64::max);
        let most_y = points().map(|point| point.1).chain(self.limit).fold(0.0, f64::max) * 1.05;
        let x = |value: f64| LEFT + value / most_x * WIDTH;
        let y = |value: f64| top + HEIGHT - value / most_y.max(1e-9) * HEIGHT;
        let _ = writeln!(
            text,
            "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>",
            top - 10.0,
            self.title
        );
        for part in 0..=4 {
            let value = most_y / 4.0 * f64::from(part);
            line(text, (LEFT, y(value)), (LEFT + WIDTH, y(value)), "#ddd");
            let _ = writeln!(
                text,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{value:.0}</text>",
                LEFT - 6.0,
                y(value) + 4.0
            );
        }
        if let Some(limit) = self.limit {
            line(text, (LEFT, y(limit)), (LEFT + WIDTH, y(limit)), "#b91c1c");
        }
        for (number, curve) in self.curves.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let points =
                curve.points.iter().map(|&(at, value)| format!("{:.1},{:.1}", x(at), y(value)));
            let points: Vec<_> = points.collect();
            let _ = writeln!(
                text,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>\n\
                 <text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
                points.join(" "),
                LEFT + WIDTH - 360.0 + 130.0 * number as f64,
                top - 10.0,
                curve.name
            );
        }
    }
}

fn line(text: &mut String, from: (f64, f64), to: (f64, f64), colour: &str) {
    let _ = writeln!(
        text,
        "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"{colour}\"/>",
        from.0, from.1, to.0, to.1
    );
}
