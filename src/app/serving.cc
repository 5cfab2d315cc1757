#include "app/serving.h"

#include <memory>

#include "http/access_api.h"
#include "http/alertmanager_api.h"
#include "http/grants_api.h"
#include "http/incident_api.h"
#include "http/keys_api.h"
#include "http/ledger_api.h"
#include "http/people_api.h"
#include "http/routes.h"
#include "http/witness_api.h"

namespace mailwarden::app {
namespace {

db::StoreAddress store_of(const ServingParts& parts) {
  return {parts.config.store, parts.sealing};
}

std::shared_ptr<http::KeysApi> make_keys_api(Acts& acts) {
  const auto by_core = [&acts](Result<json::Object> (Core::*act)(const privacy::Erasure&)) {
    return [&acts, act](const privacy::Erasure& order) {
      return acts.ask<Result<json::Object>>(
          [act, order](Core& core) { return (core.*act)(order); });
    };
  };
  return std::make_shared<http::KeysApi>(
      http::KeysApiParts{.erase = by_core(&Core::erase), .renew = by_core(&Core::renew_key)});
}

std::shared_ptr<http::Api> make_api(const ServingParts& parts) {
  Acts& acts = parts.acts;
  return std::make_shared<http::Api>(
      http::ApiOptions{.store = store_of(parts),
                       .reports = parts.config.reports,
                       .on_call =
                           [policies = parts.policies] {
                             const auto now = policies();
                             return std::shared_ptr<const alert::OnCallSchedules>(
                                 now, &now->routes.on_call());
                           },
                       .clock = &parts.clock},
      parts.status,
      [&acts](const incident::Act& act) {
        return acts.ask<Result<std::vector<incident::Change>>>(
            [act](Core& core) { return core.act(act); });
      },
      http::RunOrders{.act =
                          [&acts](const respond::flow::RunAct& act) {
                            return acts.ask<Result<respond::flow::Run>>(
                                [act](Core& core) { return core.act(act); });
                          },
                      .start =
                          [&acts](const respond::flow::StartOrder& order, std::int64_t incident) {
                            return acts.ask<Result<respond::flow::Run>>(
                                [order, incident](Core& core) {
                                  return core.start(order, incident);
                                });
                          }});
}

std::shared_ptr<http::IncidentApi> make_incident_api(const ServingParts& parts) {
  Acts& acts = parts.acts;
  using Procedure = std::shared_ptr<const incident::Procedure>;
  return std::make_shared<http::IncidentApi>(http::IncidentApiParts{
      .clock = parts.clock,
      .store = store_of(parts),
      .report =
          [&acts](const incident::Report& report) {
            return acts.ask<Result<std::vector<incident::Change>>>(
                [report](Core& core) { return core.act(report); });
          },
      .procedure =
          [&acts] {
            const auto known = acts.look<Result<Procedure>>(
                [](Core& core) -> Result<Procedure> { return core.policies().procedure; });
            return known ? *known : Procedure();
          }});
}

std::shared_ptr<http::GrantsApi> make_grants_api(const ServingParts& parts) {
  Acts& acts = parts.acts;
  return std::make_shared<http::GrantsApi>(http::GrantsApiParts{
      .arbiter = parts.arbiter,
      .clock = parts.clock,
      .store = store_of(parts),
      .order =
          [&acts](const access::GrantOrder& order) {
            return acts.ask<Result<access::Grant>>([order](Core& core) { return core.act(order); });
          },
      .view = [&grants = parts.grants] { return grants.view(); }});
}

std::shared_ptr<http::PeopleApi> make_people_api(const ServingParts& parts) {
  Acts& acts = parts.acts;
  return std::make_shared<http::PeopleApi>(http::PeopleApiParts{
      .clock = parts.clock,
      .sources = parts.config.people,
      .look =
          [&acts](const http::LookAtPeople& look) {
            return acts.look<Result<json::Value>>(
                [look](Core& core) { return look(core.people()); });
          },
      .take =
          [&acts](const identity::Told& told) {
            return acts.ask<Result<std::int64_t>>([told](Core& core) -> Result<std::int64_t> {
              const std::int64_t before = core.ledger().size();
              if (auto taken = core.take(told); !taken) return std::unexpected(taken.error());
              return core.ledger().size() - before;
            });
          }});
}

std::shared_ptr<http::WitnessApi> make_witness_api(Acts& acts) {
  return std::make_shared<http::WitnessApi>(http::WitnessApiParts{
      .witness =
          [&acts](const std::string& posted) {
            return acts.ask<Result<ledger::WitnessAnswer>>(
                [posted](Core& core) { return core.witness(posted); });
          },
      .last_note =
          [&acts](const std::string& origin_hash) {
            return acts.look<Result<std::optional<std::string>>>(
                [origin_hash](Core& core) { return core.witnessed_note(origin_hash); });
          }});
}

std::shared_ptr<http::AlertmanagerApi> make_alertmanager_api(const ServingParts& parts) {
  Acts& acts = parts.acts;
  return std::make_shared<http::AlertmanagerApi>(http::AlertmanagerParts{
      .clock = parts.clock,
      .version = std::string(config::program_version()),
      .origin = parts.config.origin,
      .signals_token = parts.config.signals_token,
      .silences_token = parts.config.silences_token,
      .take =
          [&acts](const std::vector<alert::Signal>& signals) {
            return acts.ask<Result<void>>([signals](Core& core) { return core.take(signals); });
          },
      .set_silence =
          [&acts](const alert::Silence& silence) {
            return acts.ask<Result<std::string>>(
                [silence](Core& core) { return core.set_silence(silence); });
          },
      .expire_silence =
          [&acts](const std::string& id) {
            return acts.ask<Result<void>>([id](Core& core) { return core.expire_silence(id); });
          },
      .test =
          [&acts](const std::string& receiver) {
            return acts.ask<Result<std::string>>(
                [receiver](Core& core) { return core.test_alert(receiver); });
          },
      .look =
          [&acts](const std::function<void(const http::AlertsView&)>& look) {
            return acts.look<Result<void>>([&look](Core& core) -> Result<void> {
              const AlertBooks& books = core.alerting();
              look({books.signals, books.silences, books.groups, core.policies().routes});
              return {};
            });
          }});
}

}  // namespace

net::Handler make_handler(const ServingParts& parts) {
  const auto answer =
      [api = make_api(parts), incidents = make_incident_api(parts), grants = make_grants_api(parts),
       people = make_people_api(parts),
       decisions = std::make_shared<http::AccessApi>(parts.arbiter, store_of(parts)),
       ledger = std::make_shared<http::LedgerApi>(store_of(parts)),
       witness = make_witness_api(parts.acts), signals = make_alertmanager_api(parts),
       keys = make_keys_api(parts.acts)](http::Part part, const net::Request& request) {
        switch (part) {
          case http::Part::incidents:
            return incidents->answer(request);
          case http::Part::grants:
            return grants->answer(request);
          case http::Part::people:
            return people->answer(request);
          case http::Part::decisions:
            return decisions->answer(request);
          case http::Part::ledger:
            return ledger->answer(request);
          case http::Part::witness:
            return witness->answer(request);
          case http::Part::keys:
            return keys->answer(request);
          case http::Part::signals:
            return signals->answer(request);
          case http::Part::api:
            break;
        }
        return api->answer(request);
      };
  return [answer](const net::Request& request) {
    const http::Route* const route = http::find_route(request.method, request.path);
    if (route == nullptr) return http::no_route(request);
    if (request.method != "HEAD") return answer(route->part, request);
    // The server leaves the body out.
    net::Request as_get = request;
    as_get.method = "GET";
    return answer(route->part, as_get);
  };
}

}  // namespace mailwarden::app
