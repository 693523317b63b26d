// Keeps the numbers of an issue on its way up to date. Everything that it shows is said by the server, in the same words as
// the page has; after a reload the page brings the newest, and this goes on from there.
{
  const quarters = 4
  const longestPause = 60_000
  let panel = document.querySelector('[data-feed]')
  const heard = document.createElement('p')

  if (panel) {
    heard.className = 'heard-only'
    heard.setAttribute('role', 'status')
    document.querySelector('main').append(heard)
    follow(panel.dataset.feed)
  }

  function follow(url, failures = 0) {
    const feed = new EventSource(url)
    const bar = panel.querySelector('progress')
    let quarter = quarterOf(bar.value, bar.max)
    let state
    feed.addEventListener('open', () => isLive(true))
    feed.addEventListener('progress', ({ data }) => {
      const view = JSON.parse(data)
      failures = 0
      show(view)
      const reached = quarterOf(view.value, view.max)
      if (reached > quarter && view.isLive) say(`${view.percent}: ${view.words}`)
      quarter = Math.max(quarter, reached)
      if (!view.isLive) {
        feed.close()
        say(`${view.state}: ${view.words}`)
      } else if (state && state !== view.state) say(view.left)
      if (!view.isLive || (state && state !== view.state)) takeNewParts()
      state = view.state
    })
    // What breaks off is taken up again by the browser itself; what was refused is asked for again by us, less and less often.
    feed.addEventListener('error', () => {
      isLive(false)
      if (feed.readyState !== EventSource.CLOSED) return
      setTimeout(() => follow(url, failures + 1), Math.min(longestPause, 2_000 * 2 ** failures))
    })
  }

  function show(view) {
    for (const element of panel.querySelectorAll('[data-progress]')) {
      const words = String(view[element.dataset.progress])
      if (element.textContent !== words) element.textContent = words
    }
    const bar = panel.querySelector('progress')
    if (!bar) return
    bar.max = view.max
    bar.value = view.value
    bar.textContent = view.percent
  }

  function isLive(live) {
    const refresh = panel.querySelector('[data-refresh]')
    const words = panel.querySelector('[data-live]')
    if (!refresh || !words) return
    refresh.hidden = live
    words.hidden = !live
  }

  function quarterOf(value, max) {
    return Math.floor((quarters * value) / max)
  }

  function say(words) {
    heard.textContent = words
  }

  // Another state has other buttons. They are taken from the page as it is now, without losing the reader's place.
  async function takeNewParts() {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined)
    if (!answer?.ok || answer.redirected) return
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
    for (const part of ['.page-head', '.bench']) {
      const [old, now] = [document.querySelector(part), fresh.querySelector(part)]
      const focused = old?.contains(document.activeElement) ? document.activeElement : undefined
      if (!old || !now || focused?.matches('input, textarea, select')) continue
      old.replaceWith(document.adoptNode(now))
      if (focused) now.querySelector('a[href], button')?.focus()
    }
    panel = document.querySelector('#sending') ?? panel
    isLive(Boolean(panel.dataset.feed))
  }
}
