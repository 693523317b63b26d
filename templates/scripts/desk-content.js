/* An issue's content: drag and keys to reorder, saved by itself, and told when somebody else saves. Without it the form does the same by its buttons. */

{
  const form = document.getElementById('content-form')
  if (form) tend(form)

  function tend(form) {
    const page = `/desk/issues/${form.dataset.week}`
    const token = document.querySelector('meta[name="desk-token"]').content
    const typingPause = 1500
    const movingPause = 400
    const retryPause = 5000
    const pollPause = 7000

    /** Changes so far, and how many of them are saved. */
    let changes = 0
    let saved = 0
    let timer
    let busy = Promise.resolve()
    let isStale = false
    let toldOf = 0

    const find = (selector) => form.querySelector(selector)
    const say = (words, isProblem = false) => {
      const line = document.getElementById('saved')
      line.textContent = words
      line.classList.toggle('problem', isProblem)
    }
    const isDirty = () => changes !== saved

    dress()
    form.addEventListener('input', (event) => {
      if ('notSaved' in event.target.dataset) return
      count(event.target)
      changed(typingPause)
    })
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      press(event.submitter)
    })
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && 'line' in event.target.dataset) {
        event.preventDefault()
        save()
      }
      if (event.key === 'Enter' && event.target.name?.startsWith('why:')) {
        event.preventDefault()
        event.target.closest('.leave-out').querySelector('button').click()
      }
      const row = event.target.closest('.row')
      const isArrow = event.key === 'ArrowUp' || event.key === 'ArrowDown'
      if (row && isArrow && event.altKey) {
        event.preventDefault()
        move(row, event.key === 'ArrowUp' ? -1 : 1)
      }
    })
    form.addEventListener('click', (event) => {
      if (event.target.closest('[data-theirs]')) saved = changes
    })
    document.addEventListener('keydown', (event) => {
      const isUndo = event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey)
      if (!isUndo || event.target.closest('textarea, input')) return
      event.preventDefault()
      find(`[data-step="${event.shiftKey ? 'redo' : 'undo'}"]`).click()
    })
    window.addEventListener('beforeunload', (event) => {
      if (isDirty()) event.preventDefault()
    })
    window.addEventListener('focus', look)
    setInterval(look, pollPause)

    /** What only a script can do, after the form was set again. */
    function dress() {
      for (const one of form.querySelectorAll('.with-script')) one.hidden = false
      for (const one of form.querySelectorAll('textarea[data-most]')) count(one)
      isStale = find('.stale') !== null
      const rows = document.getElementById('rows')
      Sortable.create(rows, {
        handle: '.handle',
        draggable: '.row',
        animation: 150,
        forceFallback: true,
        ghostClass: 'ghost',
        onEnd: ({ item, oldIndex, newIndex }) => {
          if (oldIndex !== newIndex) placed(item)
        },
      })
    }

    function count(field) {
      const line = document.getElementById(`${field.id}-count`)
      if (!line) return
      const { least, most, generated } = field.dataset
      const { length } = field.value.trim() || (generated ?? '')
      if (least === undefined) {
        line.textContent = `${length} of ${most} characters`
        line.classList.toggle('off', length > Number(most))
        return
      }
      const verdict =
        length < Number(least) ? 'short' : length > Number(most) ? 'long: phones cut it' : 'good'
      line.textContent = `${length} characters, ${verdict}`
      line.classList.toggle('off', verdict !== 'good')
    }

    function changed(pause) {
      changes += 1
      if (isStale) return say('Not saved: first say what to do about the other changes, above.', true)
      say('Not saved yet …')
      clearTimeout(timer)
      timer = setTimeout(save, pause)
    }

    function press(button) {
      const { move: by, fill, step } = button?.dataset ?? {}
      if (by) return move(button.closest('.row'), by === 'lead' ? 'lead' : Number(by), button)
      if (fill) return takeOver(fill, button.dataset.text)
      if (button?.name) return ask({ [button.name]: button.value }, form.action, true)
      if (step || button?.hasAttribute('formaction')) return ask({}, button.formAction, true)
      return save()
    }

    /** One of the generated lines; the first of them is what an empty field stands for. */
    function takeOver(name, text) {
      const field = document.getElementById(name)
      field.value = text === field.dataset.generated ? '' : text
      count(field)
      changed(movingPause)
      field.focus()
    }

    function move(row, by, from = document.activeElement) {
      const list = row.parentElement
      const rows = [...list.children]
      const at = rows.indexOf(row)
      const to = by === 'lead' ? 0 : at + by
      if (to < 0 || to >= rows.length || to === at) return
      list.insertBefore(row, to > at ? rows[to].nextElementSibling : rows[to])
      placed(row)
      const isGone = from.disabled || !row.contains(from)
      ;(isGone ? row.querySelector('.handle') : from).focus()
    }

    /** Writes the new places into the form, and says them. */
    function placed(row) {
      const rows = [...row.parentElement.children]
      for (const [index, one] of rows.entries()) {
        one.querySelector('input[name^="place:"]').value = index + 1
        const [up, down, lead] = one.querySelectorAll('[data-move]')
        up.disabled = lead.disabled = index === 0
        down.disabled = index === rows.length - 1
        for (const badge of one.querySelectorAll('.state.lead')) badge.remove()
        if (index === 0) {
          const badge = Object.assign(document.createElement('span'), {
            className: 'state lead',
            textContent: 'lead',
          })
          one.querySelector('.row-title b').after(' ', badge)
        }
      }
      const place = rows.indexOf(row) + 1
      document.getElementById('moved').textContent =
        `${row.dataset.title}: now ${place} of ${rows.length}${place === 1 ? ', the lead' : ''}.`
      changed(movingPause)
    }

    function save() {
      clearTimeout(timer)
      return isDirty() && !isStale ? ask({}, form.action, false) : say('Everything is saved.')
    }

    /** One request after the other, each with the form as it is when its turn comes. */
    function ask(extra, path, isWhole) {
      clearTimeout(timer)
      busy = busy
        .then(() => send(extra, path, isWhole))
        .catch(() => later('Not saved: the page could not be set again.'))
      return busy
    }

    async function send(extra, path, isWhole) {
      const sent = changes
      const body = new URLSearchParams(new FormData(form))
      for (const [name, value] of Object.entries(extra)) body.set(name, value)
      const headers = { Accept: 'application/json', 'X-Desk-Token': token }
      let answer
      try {
        answer = await fetch(path, { method: 'POST', headers, body })
      } catch {
        return later(
          'Not saved: the server does not answer. What you typed is still here; it is tried again every five seconds.',
        )
      }
      if (answer.status === 401 || answer.status === 403)
        return say(
          'Not saved: you are signed out. Keep this page, sign in again in another window, then copy what you typed.',
          true,
        )
      if (!/json/.test(answer.headers.get('content-type') ?? ''))
        return later(`Not saved: the server answered ${answer.status}. It is tried again in five seconds.`)

      const came = await answer.json()
      if (came.kind === 'stale') return dispute(came)
      if (came.kind === 'refused') return say(`Not saved: ${came.problem}`, true)
      // The whole form comes with its own; until then a save is compared with what was on the screen.
      if (!isWhole) find('[name="base"]').value = came.revision
      saved = sent
      isStale = false
      document.getElementById('content-notes').replaceChildren()
      say(came.words)
      document.dispatchEvent(
        new CustomEvent('issue-saved', { detail: { hash: came.hash, revision: came.revision } }),
      )
      await refresh(isWhole)
      if (isDirty()) timer = setTimeout(save, typingPause)
    }

    function later(words) {
      say(words, true)
      timer = setTimeout(() => ask({}, form.action, false), retryPause)
    }

    /** Somebody else saved first: shows both, and waits for a decision. What was typed stays in its fields. */
    function dispute({ html, words }) {
      isStale = true
      if (!isDirty()) changes += 1
      say(`Not saved: ${words}`, true)
      document.getElementById('content-notes').innerHTML = html
      document.getElementById('content-notes').scrollIntoView({ block: 'nearest' })
    }

    /** Takes over from the page as it is now what the save has changed; all of the form where it did more than save words. */
    async function refresh(isWhole) {
      const before = changes
      const answer = await fetch(page, { headers: { Accept: 'text/html' } })
      if (!answer.ok) return
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
      const head = document.querySelector('.page-head')
      const newHead = fresh.querySelector('.page-head')
      if (head && newHead && !head.contains(document.activeElement)) head.replaceWith(newHead)
      const newForm = fresh.getElementById('content-form')
      if (!newForm) return location.assign(page)
      if (isWhole && before === changes) return replaceForm(newForm)
      for (const name of ['history', 'waiting', 'left-out']) swap(`[data-refresh="${name}"]`, newForm)
      for (const name of ['subject', 'preheader']) {
        swap(`[data-refresh="${name}"] .alternatives`, newForm)
        const field = find(`#${name}`)
        const now = newForm.querySelector(`#${name}`)
        field.placeholder = field.dataset.generated = now.dataset.generated
        count(field)
      }
      for (const step of ['undo', 'redo'])
        find(`[data-step="${step}"]`).disabled = newForm.querySelector(`[data-step="${step}"]`).disabled
    }

    function swap(selector, newForm) {
      const [old, now] = [find(selector), newForm.querySelector(selector)]
      if (!old || !now || old.contains(document.activeElement)) return
      const open = openOnes(old)
      old.replaceWith(now)
      reopen(now, open)
    }

    function replaceForm(newForm) {
      const open = openOnes(form)
      const { id, ariaLabel } = document.activeElement ?? {}
      const words = document.getElementById('saved').textContent
      form.replaceChildren(...newForm.childNodes)
      dress()
      reopen(form, open)
      say(words)
      const labelled = ariaLabel ? find(`[aria-label="${CSS.escape(ariaLabel)}"]:not(:disabled)`) : null
      const target = (id && document.getElementById(id)) || labelled
      if (target) target.focus()
      else if (document.activeElement === document.body) find('.content-tools button:not(:disabled)')?.focus()
    }

    function openOnes(root) {
      return new Set([...root.querySelectorAll('details[open][data-key]')].map(({ dataset }) => dataset.key))
    }

    function reopen(root, open) {
      const all = root.matches('details')
        ? [root, ...root.querySelectorAll('details')]
        : root.querySelectorAll('details')
      for (const one of all)
        if (open.has(one.dataset.key) && !one.dataset.key.startsWith('out ')) one.open = true
    }

    /** Asks whether somebody else saved since. Where nothing is typed here, theirs is shown; else it is told. */
    async function look() {
      const base = Number(find('[name="base"]').value)
      if (document.hidden || isStale) return
      try {
        const answer = await fetch(`${page}/revision?after=${base}`, {
          headers: { Accept: 'application/json' },
        })
        if (!answer.ok) return
        const now = await answer.json()
        if (now.revision <= Number(find('[name="base"]').value) || now.revision === toldOf) return
        toldOf = now.revision
        document.dispatchEvent(
          new CustomEvent('issue-saved', { detail: { hash: now.hash, revision: now.revision } }),
        )
        if (isDirty() || form.contains(document.activeElement))
          return say(`${now.words} What you change here is compared with that before it is saved.`, true)
        await refresh(true)
        say(now.words)
      } catch {
        /* The next look is soon. */
      }
    }
  }
}
