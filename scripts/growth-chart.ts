/** Draws docs/growth.svg: how long the same work takes by number of users, and by number of peers. */
import { median, type Figure } from '../bench/figures.ts';

/** One figure that has a place in the chart. */
type Placed = Figure & { readonly at: NonNullable<Figure['at']> };

const [WIDTH, HEIGHT, LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT] = [760, 340, 60, 40, 290, 230];
/** Told apart without colour too: by their labels at the last point. */
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c'];

/** The chart as text of an SVG file: two panels, both axes logarithmic. */
export function growthChart(figures: readonly Figure[]): string {
  const placed = figures.filter((figure): figure is Placed => figure.at !== undefined);
  const panels = [
    panel(placed, 'users', 'users of the site', LEFT),
    panel(placed, 'peers', 'peers', LEFT + PLOT_WIDTH + 90),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}"
  font-family="sans-serif" font-size="12" role="img" aria-label="Seconds by number of users and by number of peers">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}

function panel(all: readonly Placed[], axis: Placed['at']['axis'], title: string, left: number): string {
  const here = all.filter(({ at }) => at.axis === axis);
  const points = here.map(({ at, rounds }) => ({ ...at, seconds: median(rounds) }));
  if (points.length === 0) return `<text x="${left}" y="${TOP}">by ${title}: not measured</text>`;
  const x = scale(
    points.map(({ value }) => value),
    left,
    left + PLOT_WIDTH,
  );
  const y = scale(
    points.map(({ seconds }) => seconds),
    TOP + PLOT_HEIGHT,
    TOP,
  );
  const ticksX = [...new Set(points.map(({ value }) => value))].map(
    (value) =>
      `<text x="${x.at(value)}" y="${TOP + PLOT_HEIGHT + 18}" text-anchor="middle">${value.toLocaleString('en-US')}</text>`,
  );
  const ticksY = y.decades.map((value) => {
    const line = `<line x1="${left}" x2="${left + PLOT_WIDTH}" y1="${y.at(value)}" y2="${y.at(value)}" stroke="#ddd"/>`;
    return `${line}<text x="${left - 6}" y="${y.at(value) + 4}" text-anchor="end">${value} s</text>`;
  });
  const series = [...Map.groupBy(points, (point) => point.series)].map(([name, list], index) => {
    const colour = COLOURS[index % COLOURS.length];
    const path = list.map(({ value, seconds }) => `${x.at(value)},${y.at(seconds)}`);
    const dots = path.map((point) => `<circle cx="${point.replace(',', '" cy="')}" r="3" fill="${colour}"/>`).join('');
    const [endX = '0', endY = '0'] = (path.at(-1) ?? '').split(',');
    const label = `<text x="${endX}" y="${Number(endY) - 8}" text-anchor="end" fill="${colour}">${name}</text>`;
    return `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path.join(' ')}"/>${dots}${label}`;
  });
  const middle = left + PLOT_WIDTH / 2;
  const under = `<text x="${middle}" y="${TOP + PLOT_HEIGHT + 42}" text-anchor="middle">${title}</text>`;
  return [...ticksY, ...ticksX, ...series, under].join('\n');
}

/** A logarithmic scale over whole decades for y, over the values themselves where they span less. */
function scale(
  values: readonly number[],
  from: number,
  to: number,
): { at: (value: number) => number; decades: number[] } {
  const logs = values.map((value) => Math.log10(value));
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs) + 1e-9)];
  const span = Math.max(high - low, 1);
  const decades = Array.from({ length: span + 1 }, (_, n) => 10 ** (low + n));
  return { at: (value) => Math.round(from + ((Math.log10(value) - low) / span) * (to - from)), decades };
}
