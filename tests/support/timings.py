"""What a browser itself says about how a page came: when the first and the largest of it was seen, what moved later,
how long the page could not answer, and what it fetched."""

from typing import Final, NamedTuple

from playwright.sync_api import Page

# Notes what happens from the beginning on; to be given to `add_init_script`. https://web.dev/articles/vitals
WATCH: Final = """
    window.seen = { shift: 0, largest: 0, moved: [], tasks: [], late: [] };
    const watch = (type, note) => {
        const observer = new PerformanceObserver((list) => list.getEntries().forEach(note));
        observer.observe({ type, buffered: true });
        seen.late.push(() => observer.takeRecords().forEach(note));
    };
    watch("largest-contentful-paint", (entry) => (seen.largest = entry.startTime));
    watch("longtask", (entry) => seen.tasks.push(entry.duration));
    watch("layout-shift", (entry) => {
        if (entry.hadRecentInput) return;
        seen.shift += entry.value;
        const name = ({ node }) => node?.id || node?.className || node?.nodeName || "?";
        seen.moved.push(`${entry.value.toFixed(3)}: ${entry.sources.map(name).join(", ")}`);
    });
"""

# Two frames later, so that what was just changed is drawn and judged as well.
_READ: Final = """async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    await frame();
    await frame();
    seen.late.forEach((take) => take());
    const [page] = performance.getEntriesByType("navigation");
    const fetched = [page, ...performance.getEntriesByType("resource")];
    return {
        first_byte: page.responseStart - page.startTime,
        first_paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
        largest_paint: seen.largest,
        shift: seen.shift,
        moved: seen.moved,
        blocked: seen.tasks.reduce((sum, duration) => sum + Math.max(0, duration - 50), 0),
        longest_task: Math.max(0, ...seen.tasks),
        kilobytes: fetched.reduce((sum, entry) => sum + entry.transferSize, 0) / 1000,
        requests: fetched.length,
    };
}"""


class Timings(NamedTuple):
    """Of one page, in milliseconds from when it was asked for. ``shift``: the sum of layout shifts, without a unit;
    ``moved``: what shifted; ``blocked``: what tasks took beyond 50 ms each."""

    first_byte: float
    first_paint: float
    largest_paint: float
    shift: float
    moved: list[str]
    blocked: float
    longest_task: float
    kilobytes: float
    requests: int


def read_timings(page: Page) -> Timings:
    """Of a page that is there with all its parts."""
    return Timings(**page.evaluate(_READ))
