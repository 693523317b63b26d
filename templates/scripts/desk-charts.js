// Draws each table that says so (data-chart) above itself: one small chart for each column with data-plot. The table is
// what counts; the charts are only its picture, so they are hidden from whoever is read to.
{
  const height = 150
  const wholeSteps = [1, 2, 5]
    .flatMap((n) => Array.from({ length: 8 }, (_, power) => n * 10 ** power))
    .sort((a, b) => a - b)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const drawn = [...document.querySelectorAll('table[data-chart]')].flatMap(chartsOf)

  dark.addEventListener('change', drawAll)
  new ResizeObserver(fitAll).observe(document.querySelector('main'))
  drawAll()

  function chartsOf(table) {
    const x = ({ cells }) => Number(cells[0].dataset.x)
    const rows = [...table.tBodies[0].rows].sort((a, b) => x(a) - x(b))
    const xs = rows.map(x)
    const names = rows.map(({ cells }) => cells[0].textContent.trim())
    const place = document.createElement('div')
    place.className = 'charts'
    place.setAttribute('aria-hidden', 'true')
    const beside = table.closest('.scrolls') ?? table
    beside.before(place)
    const columns = [...table.tHead.rows[0].cells]
    return (
      columns
        .filter(({ dataset }) => dataset.plot)
        // A line over the bars, whatever the order of their columns.
        .toSorted((a, b) => b.dataset.plot.localeCompare(a.dataset.plot))
        .map((head) => {
          const holder = document.createElement('div')
          holder.className = 'chart'
          const title = document.createElement('h3')
          title.textContent = head.textContent.trim()
          holder.append(title)
          place.append(holder)
          const at = columns.indexOf(head)
          const ys = rows.map(({ cells }) => Number(cells[at].dataset.value))
          return {
            holder,
            xs,
            ys,
            names,
            kind: table.dataset.chart,
            plot: head.dataset.plot,
            name: title.textContent,
          }
        })
    )
  }

  function drawAll() {
    for (const chart of drawn) {
      chart.on?.destroy()
      chart.on = draw(chart)
    }
  }

  function fitAll() {
    for (const { on, holder } of drawn) {
      const width = holder.clientWidth
      if (on && width > 0 && width !== on.width) on.setSize({ width, height })
    }
  }

  function draw({ holder, xs, ys, names, kind, plot, name }) {
    const style = getComputedStyle(document.documentElement)
    const colour = (which) => style.getPropertyValue(which).trim()
    const font = `14px ${getComputedStyle(holder).fontFamily}`
    const isTime = kind !== 'hour'
    const step = xs.length > 1 ? xs[1] - xs[0] : 1
    const axis = {
      ...{ stroke: colour('--muted'), font, gap: 6 },
      grid: { stroke: colour('--hairline'), width: 1 },
      ticks: { show: false },
    }
    const options = {
      ...{ width: Math.max(200, holder.clientWidth), height },
      padding: [8, 8, 0, 0],
      cursor: { drag: { x: false, y: false }, points: { show: plot === 'line' }, y: false },
      legend: { markers: { show: false } },
      scales: {
        x: { time: isTime, range: (_, min, max) => [min - step / 2, max + step / 2] },
        y: { range: (_, min, max) => rangeOf(min, max, plot) },
      },
      series: [
        { label: kind, value: (_, __, ___, at) => (at === null ? '' : names[at]) },
        {
          ...{
            label: name,
            stroke: colour('--ink'),
            width: plot === 'line' ? 2 : 0,
            points: { show: false },
          },
          ...(plot === 'bars' && { fill: colour('--ink'), paths: uPlot.paths.bars({ size: [0.7, 40] }) }),
          value: (_, value) => (value === null ? '' : value.toLocaleString('en-GB')),
        },
      ],
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 30,
          space: 70,
          ...(isTime && { values: (_, ticks) => ticks.map(day) }),
        },
        { ...axis, size: 66, space: 34, incrs: wholeSteps, values: (_, ticks) => ticks.map(short) },
      ],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    }
    return new uPlot(options, [xs, ys], holder)
  }

  // Bars stand on nought; a line has a tenth of its height left above and below it.
  function rangeOf(min, max, plot) {
    if (plot === 'bars') return [Math.min(0, min * 1.1), Math.max(1, max * 1.1)]
    const room = Math.max(1, (max - min) / 10)
    return [Math.max(0, min - room), max + room]
  }

  function day(seconds) {
    return new Date(seconds * 1000).toLocaleDateString('en-GB', {
      day: 'numeric',
      month: 'short',
      timeZone: 'UTC',
    })
  }

  function short(value) {
    const isLong = Math.abs(value) >= 1_000_000
    const how = isLong ? { notation: 'compact', maximumFractionDigits: 2 } : {}
    return value.toLocaleString('en-GB', how).replace('-', '−')
  }
}
