#include "common/quantizer/directory_units.h"

#include <fmt/format.h>
#include <span>
#include <utility>

#include "common/io/input_file.h"

namespace lq::quantizer {

using stage::Extent;

DirectoryUnits::DirectoryUnits(const hf::DirectoryRequest& request)
    : request_(request),
      layout_(hf::lay_out_directory(request)),
      unit_of_group_(layout_.groups.size()) {}

bool DirectoryUnits::has_unit(std::size_t group) const {
  return layout_.groups[group].place.size > 0;
}

void DirectoryUnits::add(stage::Plan& plan, Task task, std::string name, const Extent& place,
                         double cost) {
  stage::Unit unit;
  unit.name = std::move(name);
  unit.cost = cost;
  unit.extents = {place};
  plan.units.push_back(std::move(unit));
  tasks_.push_back(task);
}

void DirectoryUnits::add_to(stage::Plan& plan, const std::vector<std::string>& group_names,
                            const std::vector<double>& group_costs) {
  using Kind = Task::Kind;
  plan.results.front().files = layout_.files;
  const auto file_name = [this](const Extent& place) {
    return layout_.files[place.file].path.string();
  };
  const auto bytes = [](const Extent& place) { return static_cast<double>(place.size); };
  for (std::size_t i = 0; i < layout_.headers.size(); ++i) {
    const Extent& place = layout_.headers[i].place;
    add(plan, {Kind::kHeader, i}, "header of " + file_name(place), place, bytes(place));
  }
  for (std::size_t i = 0; i < layout_.texts.size(); ++i) {
    const Extent& place = layout_.texts[i].place;
    add(plan, {Kind::kText, i}, file_name(place), place, bytes(place));
  }
  for (std::size_t i = 0; i < layout_.copied_files.size(); ++i) {
    const Extent& place = layout_.copied_files[i].place;
    add(plan, {Kind::kFile, i}, file_name(place), place, bytes(place));
  }
  for (std::size_t i = 0; i < layout_.pieces.size(); ++i) {
    const hf::CopiedPiece& piece = layout_.pieces[i];
    const std::string name =
        piece.n == piece.source->n_elems
            ? piece.source->name
            : fmt::format("{}[{}:{}]", piece.source->name, piece.first, piece.first + piece.n);
    add(plan, {Kind::kPiece, i}, name, piece.place, bytes(piece.place));
  }
  for (std::size_t i = 0; i < layout_.groups.size(); ++i) {
    if (!has_unit(i)) continue;
    unit_of_group_[i] = plan.units.size();
    add(plan, {Kind::kGroup, i}, group_names[i], layout_.groups[i].place, group_costs[i]);
  }
  add(plan, {Kind::kModelCard, 0}, file_name({0, layout_.readme, 0, 0}),
      {0, layout_.readme, 0, stage::kOpenSize}, 0);
  plan.units.back().concluding = true;
}

void DirectoryUnits::run(std::size_t unit, stage::UnitSink& sink, const Makers& makers,
                         int n_threads) const {
  const Task& task = tasks_[unit];
  const auto write_text = [&sink](const std::string& text) {
    sink.write(0, std::as_bytes(std::span(text)));
  };
  switch (task.kind) {
    case Task::Kind::kHeader:
      sink.write(0, layout_.headers[task.index].bytes);
      return;
    case Task::Kind::kText:
      write_text(layout_.texts[task.index].text);
      return;
    case Task::Kind::kFile: {
      const hf::FileSection& file = layout_.copied_files[task.index];
      std::vector<std::byte> bytes(file.place.size);
      io::InputFile(file.source).read_at(0, bytes);
      sink.write(0, bytes);
      return;
    }
    case Task::Kind::kPiece:
      sink.write(0, hf::copied_bytes(*request_.checkpoint, layout_.pieces[task.index]));
      return;
    case Task::Kind::kGroup: {
      const hf::GroupContents contents = makers.group(unit, task.index);
      sink.write(0, hf::group_bytes(request_, layout_.groups[task.index], contents, n_threads));
      return;
    }
    case Task::Kind::kModelCard:
      write_text(makers.model_card());
      return;
  }
}

}  // namespace lq::quantizer
