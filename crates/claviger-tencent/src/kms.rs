//! Key Management Service, 2019-01-18.

mod cancel_key_deletion;
mod create_key;
mod decrypt;
mod delete_imported_key_material;
mod describe_key;
mod describe_keys;
mod disable_key;
mod enable_key;
mod encrypt;
mod encryption_context;
mod fault;
mod generate_data_key;
mod get_parameters_for_import;
mod get_regions;
mod get_service_status;
mod import_key_material;
mod key_metadata;
mod list_key_detail;
mod list_keys;
mod one_key;
mod schedule_key_deletion;
mod text_blob;

mod bind_cloud_resource;
mod unbind_cloud_resource;

use claviger_api::Route;

pub(crate) use fault::words;

/// The actions.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        action: bind_cloud_resource::ACTION,
        at: "",
        run: |cx, r| Box::pin(bind_cloud_resource::run(cx, r)),
    },
    Route {
        action: cancel_key_deletion::ACTION,
        at: "",
        run: |cx, r| Box::pin(cancel_key_deletion::run(cx, r)),
    },
    Route { action: create_key::ACTION, at: "", run: |cx, r| Box::pin(create_key::run(cx, r)) },
    Route { action: decrypt::ACTION, at: "", run: |cx, r| Box::pin(decrypt::run(cx, r)) },
    Route {
        action: delete_imported_key_material::ACTION,
        at: "",
        run: |cx, r| Box::pin(delete_imported_key_material::run(cx, r)),
    },
    Route { action: describe_key::ACTION, at: "", run: |cx, r| Box::pin(describe_key::run(cx, r)) },
    Route { action: describe_keys::ACTION, at: "", run: |cx, r| Box::pin(describe_keys::run(cx, r)) },
    Route { action: disable_key::ACTION, at: "", run: |cx, r| Box::pin(disable_key::run(cx, r)) },
    Route { action: enable_key::ACTION, at: "", run: |cx, r| Box::pin(enable_key::run(cx, r)) },
    Route { action: encrypt::ACTION, at: "", run: |cx, r| Box::pin(encrypt::run(cx, r)) },
    Route { action: generate_data_key::ACTION, at: "", run: |cx, r| Box::pin(generate_data_key::run(cx, r)) },
    Route {
        action: get_parameters_for_import::ACTION,
        at: "",
        run: |cx, r| Box::pin(get_parameters_for_import::run(cx, r)),
    },
    Route { action: get_regions::ACTION, at: "", run: |cx, r| Box::pin(get_regions::run(cx, r)) },
    Route {
        action: get_service_status::ACTION,
        at: "",
        run: |cx, r| Box::pin(get_service_status::run(cx, r)),
    },
    Route {
        action: import_key_material::ACTION,
        at: "",
        run: |cx, r| Box::pin(import_key_material::run(cx, r)),
    },
    Route { action: list_key_detail::ACTION, at: "", run: |cx, r| Box::pin(list_key_detail::run(cx, r)) },
    Route { action: list_keys::ACTION, at: "", run: |cx, r| Box::pin(list_keys::run(cx, r)) },
    Route {
        action: schedule_key_deletion::ACTION,
        at: "",
        run: |cx, r| Box::pin(schedule_key_deletion::run(cx, r)),
    },
    Route {
        action: unbind_cloud_resource::ACTION,
        at: "",
        run: |cx, r| Box::pin(unbind_cloud_resource::run(cx, r)),
    },
];
