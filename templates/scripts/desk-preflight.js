/* Takes over the list from the page as it is now, after the issue was saved. Without this it is as old as the page. */
document.addEventListener('issue-saved', async () => {
  const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } })
  if (!answer.ok) return
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('preflight')
  const old = document.getElementById('preflight')
  if (!fresh || !old || old.contains(document.activeElement)) return
  const wasOpen = old.querySelector('.fine')?.open ?? false
  old.replaceWith(fresh)
  const folded = fresh.querySelector('.fine')
  if (folded) folded.open = wasOpen
})
