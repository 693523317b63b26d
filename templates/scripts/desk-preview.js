// The preview pane changes in place: another way to look, another reader, or a newer edition.
// A frame in a sandbox tells nobody where it is scrolled to, so after a save it is loaded anew only when the bytes are other ones.

const pane = () => document.querySelector('[data-preview]')
let latest = 0

async function show(address, { lookFor } = {}) {
  const current = pane()
  if (!current) return
  const turn = ++latest
  const { search } = new URL(address, location.href)
  const answer = await fetch(current.dataset.preview + search, { credentials: 'same-origin' })
  if (!answer.ok || answer.redirected) return location.assign(address)
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const next = page.querySelector('[data-preview]')
  if (!next || turn !== latest) return
  const wasOpen = current.querySelector('details')?.open
  const typed = current.querySelector('#onlooker')?.value
  current.replaceWith(document.importNode(next, true))
  const details = pane().querySelector('details')
  if (details && wasOpen && !lookFor?.closes) details.open = true
  if (typed) pane().querySelector('#onlooker').value = typed
  history.replaceState(history.state, '', address)
  if (lookFor)
    (pane().querySelector(lookFor.selector) ?? pane().querySelector('#edition')).focus({
      preventScroll: true,
    })
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('[data-preview] a[data-look]')
  if (!link || event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  const isTab = link.matches('.tab')
  show(link.href, { lookFor: { selector: isTab ? '.tab[aria-current]' : '#edition', closes: !isTab } })
})

document.addEventListener('issue-saved', (event) => {
  if (pane() && event.detail?.hash !== pane().dataset.hash) show(location.href)
})
