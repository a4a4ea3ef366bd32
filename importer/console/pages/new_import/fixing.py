"""The third step: rows are fixed in a grid, one cell or all that are alike; every change can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.layout import card, heading, hint, localized_text, number
from importer.console.pages.new_import.alike import AlikeDialog
from importer.console.pages.new_import.duplicates import draw_duplicates
from importer.console.pages.new_import.looking import looked_at
from importer.console.pages.new_import.rows_grid import FocusedCell, on_focus, rows_grid, rows_source
from importer.console.pages.new_import.steps import step_address
from importer.console.pages.new_import.upload import upload_field
from importer.console.pages.new_import.waiting import check_first
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.runs.drafts.alike import Alike
from importer.runs.drafts.correcting import Edit, correct, leave_out, put_back, undo
from importer.runs.drafts.fixing import ClusterView, FixingCounts, clusters, counts, rows
from importer.runs.drafts.row_filter import ClusterKey, RowFilter, Show

_ABOUT_WORDS = frozenset({"value_unmapped", "value_defaulted"})
"""Kinds of problem that are fixed for all rows at once where words get their meaning."""
_SHOWS: tuple[Show, ...] = ("failing", "warnings", "corrected", "duplicates", "left_out", "all")


async def draw(console: Console, session: Session, draft: Draft) -> None:
    """Draw it; a draft that was not checked is checked first."""
    if not draft.facts.checked_run:
        check_first(console, session, draft)
        return
    found = await looked_at(console.drafts.source(draft), partial(_look, console, draft.id))
    await _Fixing(console, session, draft, found).draw()


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of the rows of a draft."""

    counts: FixingCounts
    clusters: list[ClusterView]
    columns: tuple[str, ...]
    duplicate_codes: Collection[str]


def _look(console: Console, draft: str) -> _Found:
    drafts = console.drafts
    columns = rows(drafts, draft, count=0).columns
    codes = drafts.rows_of(drafts.find(draft)).checked.checks.duplicate_codes
    return _Found(counts(drafts, draft), clusters(drafts, draft), columns, codes)


@dataclass
class _Fixing:
    """One page that is open.

    Args:
        draft: as it was seen last.
        wanted: which rows the grid shows.
        chosen: the cell that was focused last.
    """

    console: Console
    session: Session
    draft: Draft
    found: _Found
    wanted: RowFilter = field(default_factory=RowFilter)
    chosen: FocusedCell = field(default_factory=FocusedCell)

    @property
    def may_change(self) -> bool:
        """Whether cells can be corrected here."""
        return self.session.may(Role.PREPARE) and not self.draft.facts.run_id

    async def draw(self) -> None:
        """Draw the page."""
        with ui.element("div").classes("fixing"):
            with ui.element("aside").props(f'aria-label="{t("fix.filters")}"'):
                self._filters()
            with ui.element("div").classes("rows"):
                self._bar()
                self.advice = ui.element("div")
                self.grid = self._grid()
                self.problem = ui.label(t("fix.no_cell")).classes("focused").props("role=status aria-live=polite")
                self._actions()
        self.pairs = ui.element("div")
        self._files()

    # ------------------------------------------------------------------ what is shown

    @ui.refreshable_method
    def _filters(self) -> None:
        found = self.found.counts
        sizes = {
            "failing": found.failing, "warnings": found.warnings, "corrected": found.corrected,
            "left_out": found.left_out, "all": found.rows,
        }  # fmt: skip
        with ui.element("ul").classes("plain"):
            for show in _SHOWS:
                self._choice(t(f"fix.show_{show}"), RowFilter(show), sizes.get(show))
        heading(t("fix.clusters"))
        with ui.element("ul").classes("plain"):
            for one in self.found.clusters:
                title = f"{one.title}: {one.key.column}" if one.key.column else one.title
                self._choice(title, RowFilter("all", one.key), one.count, one.severity.value)

    def _choice(self, title: str, wanted: RowFilter, count: int | None, kind: str = "") -> None:
        is_chosen = (wanted.show, wanted.cluster) == (self.wanted.show, self.wanted.cluster)
        with ui.element("li"):
            chooser = ui.element("button").classes(f"choice {kind}").on("click", partial(self._show, wanted))
            chooser.props(f"type=button aria-pressed={'true' if is_chosen else 'false'}")
            with chooser:
                ui.label(title)
                if count is not None:
                    number(count)

    async def _show(self, wanted: RowFilter) -> None:
        self.session.require(Role.VIEW)
        self.wanted = RowFilter(wanted.show, wanted.cluster, self.wanted.text)
        self._filters.refresh()
        self._reload()
        self._scroll_to_column()
        self._advise()
        self.pairs.clear()
        if wanted.show == "duplicates":
            with self.pairs:
                await draw_duplicates(self.console, self.session, self.draft.id, self._leave_out)

    def _advise(self) -> None:
        """Say how the chosen kind of problem is fixed, in all rows at once where that fits."""
        self.advice.clear()
        one = next((one for one in self.found.clusters if one.key == self.wanted.cluster), None)
        if one is None:
            return
        with self.advice, ui.element("div").classes(f"problem {one.severity.value}"):
            ui.label(one.message)
            hint(one.fix or one.in_profile)
            if one.key.code in _ABOUT_WORDS and self.may_change:
                ui.link(t("fix.to_words"), step_address(self.draft, "map"))
            if one.key.code in self.found.duplicate_codes:
                show = partial(self._show, RowFilter("duplicates"))
                ui.button(t("fix.side_by_side"), on_click=show).props("no-caps outline")
            elif self.may_change and one.key.column in self.found.columns:
                ui.button(t("fix.alike"), on_click=partial(self._alike_cluster, one.key)).props("no-caps outline")

    def _bar(self) -> None:
        with ui.element("div").classes("row"):
            self._state()
            search = ui.input(t("fix.search")).props("type=search outlined dense clearable debounce=300")
            search.on_value_change(lambda event: self._search(event.value or ""))

    @ui.refreshable_method
    def _state(self) -> None:
        found = self.found.counts
        state = localized_text("fix.state", failing=(found.failing, "row"), corrected=(found.cells, "cell"), tag="div")
        state.props("role=status")
        if not found.is_checked:
            ui.label(t("fix.unchecked")).classes("state mixed")

    def _search(self, text: str) -> None:
        self.session.require(Role.VIEW)
        self.wanted = RowFilter(self.wanted.show, self.wanted.cluster, text if self.session.sees_values else "")
        self._reload()

    # ------------------------------------------------------------------ the grid

    def _grid(self) -> ui.aggrid:
        grid = rows_grid(self.found.columns, self._source(), editable=self.may_change)
        grid.on("cellValueChanged", self._corrected, args=["data", "colId", "newValue"])
        on_focus(grid, self._focused)
        return grid

    def _source(self) -> str:
        return rows_source(self.draft.id, self.wanted)

    def _reload(self) -> None:
        ui.run_javascript(f"getElement({self.grid.id}).api.setGridOption('datasource', {self._source()})")

    def _scroll_to_column(self) -> None:
        """Have the column of the chosen kind of problem in sight."""
        name = self.wanted.cluster.column if self.wanted.cluster else ""
        if name in self.found.columns:
            place = f"c{self.found.columns.index(name)}"
            ui.run_javascript(f"getElement({self.grid.id}).api.ensureColumnVisible('{place}', 'middle')")

    def _focused(self, event: GenericEventArguments) -> None:
        self.session.require(Role.VIEW)
        self.chosen = FocusedCell.of(event.args, self.found.columns)
        self.problem.set_text(self.chosen.sentence(self.found.clusters))

    # ------------------------------------------------------------------ what is changed

    def _actions(self) -> None:
        if not self.may_change:
            return
        with ui.element("div").classes("row"):
            ui.button(t("fix.alike_cell"), on_click=self._alike_cell).props("no-caps outline")
            for text, work in ((t("fix.leave_out"), leave_out), (t("fix.put_back"), put_back)):
                ui.button(text, on_click=partial(self._change_chosen, work)).props("no-caps outline")
            ui.button(t("fix.undo"), on_click=self._undo).props("no-caps outline")
            ui.button(t("fix.next"), on_click=self._next).props("no-caps")

    async def _corrected(self, event: GenericEventArguments) -> None:
        column = self.found.columns[int(str(event.args["colId"])[1:])]
        edit = Edit(int(event.args["data"]["row"]), column, str(event.args["newValue"] or ""))
        await self._change(partial(correct, self.console.drafts, self.draft.id, [edit]))

    async def _change_chosen(self, work: Callable[..., Draft]) -> None:
        """Change the row of the cell that was clicked last as a whole."""
        if not self.chosen.row:
            ui.notify(t("fix.choose"))
            return
        await self._change(partial(work, self.console.drafts, self.draft.id, [self.chosen.row]))

    async def _leave_out(self, numbers: list[int]) -> None:
        await self._change(partial(leave_out, self.console.drafts, self.draft.id, numbers))

    async def _undo(self) -> None:
        await self._change(partial(undo, self.console.drafts, self.draft.id))

    def _alike_cell(self) -> None:
        if not self.chosen.column:
            ui.notify(t("fix.choose"))
            return
        self._alike(Alike(self.chosen.row, self.chosen.column))

    async def _alike_cluster(self, key: ClusterKey) -> None:
        page = await beside_the_loop(rows, self.console.drafts, self.draft.id, 0, 1, RowFilter("all", key))
        if page.rows:
            self._alike(Alike(page.rows[0].row, key.column, key.code))

    def _alike(self, cells: Alike) -> None:
        AlikeDialog(self.console, self.session, self.draft.id, cells, self._change).open()

    async def _change(self, work: Callable[..., Draft]) -> None:
        """Change cells, and show what is wrong now; what was refused is shown as it was."""
        self.session.require(Role.PREPARE)
        try:
            self.draft = await beside_the_loop(partial(work, by=self.session.user))
        finally:
            await self._look_again()

    async def _look_again(self) -> None:
        self.found = await beside_the_loop(_look, self.console, self.draft.id)
        for part in (self._filters, self._state):
            part.refresh()
        ui.run_javascript(f"importerRefresh(getElement({self.grid.id}).api)")

    def _next(self) -> None:
        self.session.require(Role.PREPARE)
        ui.navigate.to(step_address(self.draft, "check"))

    # ------------------------------------------------------------------ in the spreadsheet

    def _files(self) -> None:
        if not self.session.sees_values:
            return
        with card(t("fix.files")):
            hint(t("fix.files_hint"))
            ui.link(t("fix.annotated"), f"/drafts/{self.draft.id}/annotated.xlsx")
            if self.may_change:
                upload_field(t("fix.fixed"), f"/drafts/{self.draft.id}/fixed", self._look_again)
